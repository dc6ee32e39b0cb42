/** What holds the promise, removed one at a time. Each must be noticed by the suite; `test` is where to look first. */
import { ALERTS } from "./alerts.ts";
import { BOUNDS } from "./bounds.ts";
import { CONTAINERS } from "./containers.ts";
import { CONTROL } from "./control.ts";
import { DEPLOY } from "./deploy.ts";
import { LOCAL } from "./local.ts";
import type { Mutation } from "./mutation.ts";
import { PROMISE } from "./promise.ts";
import { SANDBOXES } from "./sandbox.ts";
import { WORK } from "./work.ts";

export const MUTATIONS: readonly Mutation[] = [
  ...PROMISE,
  ...WORK,
  ...BOUNDS,
  ...LOCAL,
  ...DEPLOY,
  ...ALERTS,
  ...CONTROL,
  ...SANDBOXES,
  ...CONTAINERS,
];
