/** The hands, where they are chosen: before whoever calls them. An account that may have no containers is told so, and goes on without. */
import * as z from "zod/mini";
import { hasHands } from "../installation/hands.ts";
import { CloudflareError } from "./cloudflare-api.ts";
import type { Deployment } from "./deployment.ts";
import type { Step } from "./step.ts";
import { planWorker, type WorkerOptions } from "./workers.ts";
import { WranglerError } from "./wrangler.ts";

/** The step for the hands, and for finding out whether the account may have any. */
export function planHands(deployment: Deployment, options: WorkerOptions): Step[] {
  if (!hasHands(deployment.settings)) return [];
  const [step] = planWorker(deployment, options, "hands");
  const { handsRefused } = deployment.record;
  if (step === undefined && handsRefused === null) return [];
  const what = step?.what ?? "asks for containers";
  return [
    {
      what: handsRefused === null ? what : `${what}; they were refused before`,
      async run() {
        const refused = await tryHands(deployment, step);
        if (refused !== handsRefused) await deployment.remember({ handsRefused: refused });
      },
    },
  ];
}

/** Steps that take them away, when nobody is bound to them any more; also what a kill between the two has left. */
export function planHandsRemoval(deployment: Deployment): Step[] {
  const { live, target } = deployment;
  if (!live.workers.has("hands")) return [];
  const name = `${target.name}-hands`;
  return [
    { what: `deletes the containers of ${name}`, run: () => deleteApplications(deployment) },
    { what: `deletes the Worker ${name}`, run: () => deleteWorker(deployment) },
  ];
}

/** @returns why it is refused; null when it is done. */
async function tryHands(deployment: Deployment, step: Step | undefined): Promise<string | null> {
  const refused = await whyNoContainers(deployment);
  if (refused !== null || step === undefined) return refused;
  try {
    await step.run();
    return null;
  } catch (error) {
    // The Worker is live before its containers are. Where it has some from before, it goes on with them.
    if (!(error instanceof WranglerError) || (await listApplications(deployment)).length > 0) throw error;
    await deleteWorker(deployment);
    return error.message.replace(/\.$/, "");
  }
}

/** Before anything is sent. */
async function whyNoContainers({ api, accountId }: Deployment): Promise<string | null> {
  try {
    await api.call(`/accounts/${accountId}/containers/me`, z.unknown());
    return null;
  } catch (error) {
    if (!(error instanceof CloudflareError) || (error.status !== 401 && error.status !== 403)) throw error;
    return `containers need the plan Workers Paid, and the permission Containers Edit of the token (${error.message})`;
  }
}

const Applications = z.array(z.object({ id: z.string(), name: z.string() }));

async function listApplications({ api, accountId, target }: Deployment): Promise<string[]> {
  const all = await api.find(`/accounts/${accountId}/containers/applications`, Applications);
  const ours = [`${target.name}-hands`, `${target.name}-toolchain`];
  return (all ?? []).filter(({ name }) => ours.includes(name)).map(({ id }) => id);
}

async function deleteWorker({ wrangler, target }: Deployment): Promise<void> {
  await wrangler.run(["delete", `${target.name}-hands`, "--force"]);
}

/** Its containers go with it; by itself it would stay. */
async function deleteApplications(deployment: Deployment): Promise<void> {
  const { api, accountId } = deployment;
  for (const id of await listApplications(deployment))
    await api.call(`/accounts/${accountId}/containers/applications/${id}`, z.unknown(), { method: "DELETE" });
}
