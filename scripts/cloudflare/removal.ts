/** Steps that take an installation off the account: consumers before queues, who calls before who is called, data last. */
import { mkdir, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";
import * as z from "zod/mini";
import { FILES_PREFIX } from "../../shared/files.ts";
import { concurrently } from "../../shared/queue/concurrently.ts";
import type { Deployment } from "./deployment.ts";
import { planHandsRemoval } from "./containers.ts";
import { planDetaching } from "./domains.ts";
import { DEPLOY_ORDER } from "./live.ts";
import type { Step } from "./step.ts";
import { WranglerError } from "./wrangler.ts";

/** "There is no such thing": a Worker, a Workflow, a queue, a database, a bucket. Who was killed after removing it meets these. */
const GONE = new Set([10_007, 10_200, 11_000, 7_404, 10_006]);
const GONE_WORDS = /does(?: not|n't) exist|not.found|could not be found|no such/i;
/** A queue is in use for a moment after the Workers that used it are gone. */
const IN_USE = 11_005;
const TRIES_MAX = 6;
const WAIT_MS = 2_000;
const OBJECTS_AT_ONCE = 8;
/** A page of a thousand files each. */
const PAGES_MAX = 10_000;

/** Steps for what is there, but for what people have said and made. */
export function planRemoval(deployment: Deployment): Step[] {
  const { live, target } = deployment;
  const remove = (what: string, args: readonly string[]): Step => ({
    what,
    run: () => removeOnce(deployment, args),
  });
  const consumers = [...live.queues].flatMap(([queue, workers]) =>
    (workers ?? []).map(({ worker }) => ({ queue, worker })),
  );
  const workers = DEPLOY_ORDER.toReversed()
    .filter((part) => part !== "hands" && live.workers.has(part))
    .map((part) => `${target.name}-${part}`);
  return [
    ...planDetaching(deployment, null),
    ...consumers.map(({ queue, worker }) =>
      remove(`detaches ${worker} from the queue ${queue}`, ["queues", "consumer", "remove", queue, worker]),
    ),
    ...workers.map((worker) => remove(`deletes the Worker ${worker}`, ["delete", worker, "--force"])),
    ...planHandsRemoval(deployment),
    ...(live.workflowOwner === `${target.name}-executor`
      ? [remove(`deletes the Workflow ${target.name}-task`, ["workflows", "delete", `${target.name}-task`])]
      : []),
    ...[...live.queues.keys()].map((queue) =>
      remove(`deletes the queue ${queue}`, ["queues", "delete", queue]),
    ),
  ];
}

const stamp = (now: Date) => now.toISOString().replaceAll(/[:.]/g, "-");

/** The step that exports the database: before anything else, so that nothing is gone when it fails. */
export function planExport({ live, target, folder, wrangler }: Deployment, now: Date): Step[] {
  if (live.database === null) return [];
  const { name } = target;
  const file = join(folder, `${name}-${stamp(now)}.sql`);
  const run = async () => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await wrangler.run(["d1", "export", name, "--remote", "--skip-confirmation", "--output", file]);
  };
  return [{ what: `exports the database ${name} to ${file}`, run }];
}

/** Steps for the database and the files, each of which is saved before it is deleted. */
export function planDataRemoval(deployment: Deployment, now: Date): Step[] {
  const { live, target, folder } = deployment;
  const { name } = target;
  const saved = join(folder, `${name}-${stamp(now)}-files`);
  const remove = (what: string, args: readonly string[]): Step => ({
    what,
    run: () => removeOnce(deployment, args),
  });
  const database = remove(`deletes the database ${name}`, ["d1", "delete", name, "--skip-confirmation"]);
  const files = [
    {
      what: `moves the files of the bucket ${name}-files to ${saved}`,
      run: () => emptyBucket(deployment, saved),
    },
    remove(`deletes the bucket ${name}-files`, ["r2", "bucket", "delete", `${name}-files`]),
  ];
  return [...(live.database === null ? [] : [database]), ...(live.hasBucket ? files : [])];
}

async function removeOnce({ wrangler }: Deployment, args: readonly string[]): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await wrangler.run(args);
      return;
    } catch (error) {
      if (!(error instanceof WranglerError)) throw error;
      if (GONE.has(error.code) || (error.code === 0 && GONE_WORDS.test(error.message))) return;
      if (error.code !== IN_USE || tries === TRIES_MAX) throw error;
      await sleep(WAIT_MS);
    }
  }
}

const Objects = z.array(z.object({ key: z.string() }));
/** Ours are called by the hash of their content; what they are called by people stands in the database. */
const KEY = new RegExp(`^${FILES_PREFIX}([0-9a-f]{64})$`);

/** Before anything goes. Throws when there is something in the bucket that is not ours, as far as its first page tells. */
export async function refuseForeignFiles({ api, accountId, target, live }: Deployment): Promise<void> {
  if (!live.hasBucket) return;
  const objects = `/accounts/${accountId}/r2/buckets/${target.name}-files/objects`;
  refuseStrange(target.name, (await api.find(`${objects}?per_page=1000`, Objects)) ?? []);
}

function refuseStrange(name: string, found: z.infer<typeof Objects>): void {
  const strange = found.find(({ key }) => !KEY.test(key));
  if (strange !== undefined)
    throw new Error(`${name}-files holds ${strange.key}, which is not Errand's: look at the bucket first.`);
}

/** A bucket goes only when it is empty, and wrangler deletes one object a start. https://developers.cloudflare.com/api/resources/r2/subresources/buckets/subresources/objects/ */
async function emptyBucket({ api, accountId, target }: Deployment, saved: string): Promise<void> {
  const objects = `/accounts/${accountId}/r2/buckets/${target.name}-files/objects`;
  for (let page = 0; page < PAGES_MAX; page++) {
    const found = await api.find(`${objects}?per_page=1000`, Objects);
    if (found === null || found.length === 0) return;
    refuseStrange(target.name, found);
    await mkdir(saved, { recursive: true, mode: 0o700 });
    await concurrently(found, OBJECTS_AT_ONCE, async ({ key }) => {
      const [, sha256 = ""] = KEY.exec(key) ?? [];
      await writeFile(join(saved, sha256), await api.download(`${objects}/${key}`), { mode: 0o600 });
      await api.call(`${objects}/${key}`, z.unknown(), { method: "DELETE" });
    });
  }
  throw new Error(
    `${target.name}-files holds more files than can be deleted in one go: destroy it once more.`,
  );
}
