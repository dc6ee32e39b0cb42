/** Creating messages: the only call that cannot be repeated. It is announced in the ledger before it is made, and recorded after it. */
import type { StoredFile } from "../../shared/contracts/file.ts";
import { describeError } from "../../shared/errors.ts";
import { readFile, formatSize } from "../../shared/files.ts";
import { LIMITS } from "../../shared/limits.ts";
import { announceMessage, recordMessage } from "../../shared/store/record-message.ts";
import { formatCode } from "../../shared/text.ts";
import type { Sent } from "./channels/client.ts";
import { listButtons, renderParts } from "./content.ts";
import { chooseWay, findShownId, type OpenAttempt } from "./attempt.ts";

/** A message's id; or that the lease went to somebody else, who makes the difference now. */
export type Created = Sent<string> | { kind: "lease_lost" };

/** The first part's message: the one in the ledger, or one that is created now. The lease has announced it. */
export async function createFirst(attempt: OpenAttempt): Promise<Created> {
  const [part] = renderParts(attempt.reply, attempt.client);
  const known = findShownId(attempt, 0);
  if (known !== undefined) return { kind: "ok", value: known };
  const isAnnounced = !isDoubtful(attempt, 0);
  return create(attempt, 0, part, () => createPart(attempt, 0, part), { isAnnounced });
}

/** A later part's message. */
export function createLater(attempt: OpenAttempt, index: number, part: unknown): Promise<Created> {
  return create(attempt, index, part, () => createPart(attempt, index, part), { isAnnounced: false });
}

/**
 * A file's message. There is nothing to edit in it: when its creation is in doubt, it may be seen twice. One whose sending breaks off
 * again and again is told of in words, and does not keep back the files behind it.
 */
export function createFile(attempt: OpenAttempt, index: number, file: StoredFile): Promise<Created> {
  const { client } = attempt;
  const doubts = countDoubts(attempt, index);
  const isGivenUp = doubts > LIMITS.doubts_max;
  const why = isGivenUp ? ` Sending it broke off ${doubts} times; it may have arrived all the same.` : "";
  const named = `${formatCode(file.name)} (${formatSize(file.bytes)})`;
  const [instead] = client.render(`📎 ${named} could not be attached.${why}`);
  const send = () => (isGivenUp ? client.create(instead, LATER) : attach(attempt, file, instead));
  return create(attempt, index, instead, send, { isAnnounced: false, isGivenUp });
}

/** Whether a message is created with all that it is to say; else with the first words of an answer, or of what is asked, to be edited: what was created twice is then seen to be none. */
export function isWhole(attempt: OpenAttempt): boolean {
  const { final, buttons } = attempt.reply;
  return (final === 0 && buttons === null) || chooseWay(attempt) !== "placeholder";
}

function createPart(attempt: OpenAttempt, index: number, part: unknown): Promise<Sent<string>> {
  const { reply, client } = attempt;
  const silent = (reply.final === 0 && reply.buttons === null) || index > 0;
  // What was created twice, unheard of, cannot be pressed.
  const options = { silent, isFirst: index === 0, buttons: isWhole(attempt) ? listButtons(reply) : [] };
  const words = isWhole(attempt) ? part : (client.editing?.preview(part) ?? part);
  return client.create(words, options);
}

/** Any message but the first. */
export const LATER = { silent: true, isFirst: false, buttons: [] };

async function attach(
  { env, client }: OpenAttempt,
  file: StoredFile,
  instead: unknown,
): Promise<Sent<string>> {
  const { sha256, name, mime } = file;
  try {
    const kept = client.files === null ? null : await readFile(env.FILES, sha256);
    if (kept === null || client.files === null) return await client.create(instead, LATER);
    return await client.files.attach(
      { name, mime, content: new Uint8Array(await kept.arrayBuffer()) },
      instead,
    );
  } catch (error) {
    return { kind: "later", reason: `the file store: ${describeError(error)}`, rateLimited: false };
  }
}

/** Creates a message and puts its id into the ledger. */
async function create(
  attempt: OpenAttempt,
  index: number,
  part: unknown,
  send: () => Promise<Sent<string>>,
  { isAnnounced, isGivenUp = false }: { isAnnounced: boolean; isGivenUp?: boolean },
): Promise<Created> {
  const { env, timings, lease, client } = attempt;
  const settled = isDoubtful(attempt, index) ? await settle(attempt, index, part, isGivenUp) : null;
  if (settled !== null && settled.kind !== "ok") return settled;
  if (!isAnnounced) {
    const announced = await announceMessage(env.DB, lease, index);
    if (announced.kind === "refused") return { kind: "lease_lost" };
  }
  const created = settled ?? (await send());
  if (created.kind !== "ok") return created;
  const message = { part: index, externalId: created.value };
  const recorded = await recordMessage(env.DB, lease, message, Date.now(), timings);
  if (recorded.kind === "recorded") return created;
  await client.editing?.remove(created.value);
  return { kind: "lease_lost" };
}

function isDoubtful({ reply }: OpenAttempt, index: number): boolean {
  return reply.deliveries.some(({ part, state }) => part === index && state === "doubtful");
}

function countDoubts({ reply }: OpenAttempt, index: number): number {
  return reply.deliveries.find(({ part }) => part === index)?.doubts ?? 0;
}

/** What has become of a message whose creation is in doubt; null when it is to be created again, which is not done too often. */
async function settle(
  attempt: OpenAttempt,
  index: number,
  part: unknown,
  isGivenUp: boolean,
): Promise<Sent<string> | null> {
  const doubts = countDoubts(attempt, index);
  // Of what is told in the place of a file, the doubts of the file do not count.
  const doubtsMax = isGivenUp ? 2 * LIMITS.doubts_max + 1 : LIMITS.doubts_max;
  const settled = doubts > doubtsMax ? null : await attempt.client.settle(part);
  if (settled === null)
    return { kind: "undeliverable", reason: `created ${doubts} times without ever hearing of the outcome` };
  if (settled.kind === "found") return { kind: "ok", value: settled.externalId };
  return settled.kind === "absent" || settled.kind === "unknown" ? null : settled;
}
