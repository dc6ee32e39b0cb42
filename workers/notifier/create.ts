/** Creating messages: the only call that cannot be repeated. It is announced in the ledger before it is made, and recorded after it. */
import type { StoredFile } from "../../shared/contracts/file.ts";
import { reasonOf } from "../../shared/errors.ts";
import { readFile, sizeOf } from "../../shared/files.ts";
import { LIMITS } from "../../shared/limits.ts";
import { announceMessage, recordMessage } from "../../shared/store/record-message.ts";
import { asCode } from "../../shared/text.ts";
import type { Sent } from "./channels/client.ts";
import { buttonsOf, partsOf } from "./content.ts";
import { type OpenLook, shownId } from "./look.ts";

/** A message's id; or that the lease went to somebody else, who makes the difference now. */
export type Created = Sent<string> | { kind: "lease_lost" };

/** The first part's message: the one in the ledger, or one that is created now. The lease has announced it. */
export async function createFirst(look: OpenLook): Promise<Created> {
  const [part] = partsOf(look.reply, look.client);
  const known = shownId(look, 0);
  if (known !== undefined) return { kind: "ok", value: known };
  const isAnnounced = !isDoubtful(look, 0);
  return create(look, 0, part, () => createPart(look, 0, part), isAnnounced);
}

/** A later part's message. */
export function createLater(look: OpenLook, index: number, part: unknown): Promise<Created> {
  return create(look, index, part, () => createPart(look, index, part), false);
}

/** A file's message. There is nothing to edit in it: when its creation is in doubt, it may be seen twice. */
export function createFile(look: OpenLook, index: number, file: StoredFile): Promise<Created> {
  const [instead] = look.client.render(
    `📎 ${asCode(file.name)} (${sizeOf(file.bytes)}) could not be attached.`,
  );
  return create(look, index, instead, () => attach(look, file, instead), false);
}

/** With its first words, where it can be edited to the whole later: what was created twice is then seen to be no answer. */
function createPart({ reply, client }: OpenLook, index: number, part: unknown): Promise<Sent<string>> {
  const isFinal = reply.final === 1;
  const options = { silent: !isFinal || index > 0, isFirst: index === 0, buttons: buttonsOf(reply) };
  return client.create(isFinal ? (client.editing?.preview(part) ?? part) : part, options);
}

/** Any message but the first. */
export const LATER = { silent: true, isFirst: false, buttons: [] };

async function attach({ env, client }: OpenLook, file: StoredFile, instead: unknown): Promise<Sent<string>> {
  const { sha256, name, mime } = file;
  try {
    const kept = client.files === null ? null : await readFile(env.FILES, sha256);
    if (kept === null || client.files === null) return await client.create(instead, LATER);
    return await client.files.attach(
      { name, mime, content: new Uint8Array(await kept.arrayBuffer()) },
      instead,
    );
  } catch (error) {
    return { kind: "later", reason: `the file store: ${reasonOf(error)}`, rateLimited: false };
  }
}

/** Creates a message and puts its id into the ledger. */
async function create(
  look: OpenLook,
  index: number,
  part: unknown,
  send: () => Promise<Sent<string>>,
  isAnnounced: boolean,
): Promise<Created> {
  const { env, timings, lease, client } = look;
  const settled = isDoubtful(look, index) ? await settle(look, index, part) : null;
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

function isDoubtful({ reply }: OpenLook, index: number): boolean {
  return reply.deliveries.some(({ part, state }) => part === index && state === "doubtful");
}

/** What has become of a message whose creation is in doubt; null when it is to be created again, which is not done too often. */
async function settle(
  { reply, client }: OpenLook,
  index: number,
  part: unknown,
): Promise<Sent<string> | null> {
  const doubts = reply.deliveries.find((one) => one.part === index)?.doubts ?? 0;
  const settled = doubts > LIMITS.doubts_max ? null : await client.settle(part);
  if (settled === null)
    return { kind: "undeliverable", reason: `created ${doubts} times without ever hearing of the outcome` };
  if (settled.kind === "found") return { kind: "ok", value: settled.externalId };
  return settled.kind === "absent" || settled.kind === "unknown" ? null : settled;
}
