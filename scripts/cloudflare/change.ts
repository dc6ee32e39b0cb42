/** What is to be done about a Worker: nothing, where it is live as it should be. */
import { createHash } from "node:crypto";
import { join, relative } from "node:path";
import { withoutHands } from "../installation/hands.ts";
import { MIGRATIONS_FOLDER } from "../installation/migrations.ts";
import { listStaleSecrets, selectFor } from "./deploy-settings.ts";
import type { Deployment } from "./deployment.ts";
import { findDrift } from "./drift.ts";
import { generate, type Generated, type Sources } from "./generated.ts";
import type { Part } from "./live.ts";
import { suggestSubdomain } from "./resources.ts";

/** The folder of what is generated for this installation. */
export const generatedFolder = ({ folder, target }: Pick<Deployment, "folder" | "target">) =>
  join(folder, target.name);

/** The Worker as it is to be, on the plan that the account had the last time, or on the one that is said. */
export function generatePart(
  deployment: Deployment,
  sources: Sources,
  part: Part,
  paid = deployment.record.paid,
): Generated {
  const source = sources.get(part);
  if (source === undefined) throw new Error(`There is no Worker ${part}.`);
  const migrationsDir = relative(join(generatedFolder(deployment), part), MIGRATIONS_FOLDER);
  const url = deployment.url(deployment.live.subdomain ?? suggestSubdomain(deployment.accountId));
  const { target, hasHands, settings } = deployment;
  const shape = { ...target, url, paid, hands: hasHands, migrationsDir };
  return generate(part, source, shape, selectFor(part, hasHands ? settings : withoutHands(settings)));
}

export interface Change {
  readonly generated: Generated;
  /** Those that are new, or have another value than the last time; on a Worker that somebody else has touched, all. */
  readonly send: Readonly<Record<string, string>>;
  readonly stale: readonly string[];
  readonly why: string;
}

/** Null: it is live as it should be. The same tag alone says too little: who was killed after the upload has left its triggers behind. */
export function findChange(
  deployment: Deployment,
  sources: Sources,
  part: Part,
  paid = deployment.record.paid,
): Change | null {
  const { live, record, settings } = deployment;
  const generated = generatePart(deployment, sources, part, paid);
  const { secrets } = selectFor(part, settings);
  const now = live.workers.get(part);
  const before = record.workers[part];
  const isKnown = now !== undefined && before !== undefined && now.versionId === before.versionId;
  const isSent = ([name, value]: [string, string]) =>
    isKnown && now.secrets.includes(name) && before.secrets[name] === hashSecret(value);
  const send = Object.fromEntries(Object.entries(secrets).filter((secret) => !isSent(secret)));
  const stale = now === undefined ? [] : listStaleSecrets(part, now.secrets, settings);
  const sent = Object.keys(send);
  const secretsToo = [
    ...(isKnown && sent.length > 0 ? [`sends ${sent.join(", ")}`] : []),
    ...(stale.length > 0 ? [`takes ${stale.join(", ")} away`] : []),
  ];
  const change = (...why: string[]) => ({ generated, send, stale, why: [...why, ...secretsToo].join("; ") });
  if (now === undefined) return change("new");
  if (!isKnown) return change("rolled back, deployed elsewhere, or not to its end");
  // Not the live tag: taking a secret away makes a version without one.
  if (before.tag !== generated.tag) return change("changed");
  const drift = findDrift(live, part, generated);
  if (drift.length > 0) return change(`mends: ${drift.join(", ")}`);
  return secretsToo.length > 0 ? change() : null;
}

/** As this machine remembers what was sent. */
export const hashSecret = (value: string) => createHash("sha256").update(value).digest("hex");
