/** Making what is shown what is wanted. Where messages can be edited, the answer itself is always an edit of a message whose id is in the ledger. */
import type { Mutex } from "../../shared/mutex.ts";
import { log } from "../../shared/log.ts";
import { announcePing, recordAbsent, recordMessage } from "../../shared/store/record-message.ts";
import { postponeReply, settleReply } from "../../shared/store/settle-reply.ts";
import { buttonsOf, filesOf, partsOf } from "./content.ts";
import { createFile, type Created, createFirst, createLater, LATER } from "./create.ts";
import { factsOf, type OpenLook, shownId } from "./look.ts";
import { fail } from "./outcome.ts";

/**
 * How a reply is shown. `placeholder`: what is said meanwhile in a message that becomes the answer. `final`: nothing but the answer,
 * where messages cannot be edited.
 */
function wayOf({ client }: OpenLook): "placeholder" | "final" {
  return client.editing === null ? "final" : "placeholder";
}

/** Begins what is due: the first message, which the lease has announced. Null: nothing is shown before the answer. */
export async function begin(look: OpenLook): Promise<Created | null> {
  if (look.reply.final === 1 || wayOf(look) === "placeholder") return createFirst(look);
  await recordAbsent(look.env.DB, look.lease, 0);
  return null;
}

/** Nothing to show before the answer, but a sign of life. Returns the milliseconds until the next look. */
export async function waitForAnswer(look: OpenLook): Promise<number> {
  await look.client.typing?.show();
  return postpone(look);
}

/** Shows the reply as it is wanted now. Returns the milliseconds until the next look, or null when there is none. */
export async function show(look: OpenLook & { creations: Mutex }, first: Created): Promise<number | null> {
  const { reply, client, creations } = look;
  const isFinal = reply.final === 1;
  const parts = partsOf(reply, client);
  const externalIds: string[] = [];
  for (const [index, part] of parts.entries()) {
    const known = shownId(look, index);
    const created =
      index === 0 ? first : await once(known, () => creations.run(() => createLater(look, index, part)));
    if (created.kind === "lease_lost") return null;
    if (created.kind !== "ok") return fail(look, created, index);
    externalIds.push(created.value);
    // A placeholder that was created just now says already what it is to say.
    if (!isFinal && known === undefined) continue;
    const edited = await client.editing?.edit(created.value, part, buttonsOf(reply));
    if (edited !== undefined && edited.kind !== "ok")
      return fail(look, edited, edited.kind === "gone" ? index : null);
  }
  for (const [index, file] of filesOf(reply).entries()) {
    const part = parts.length + index;
    const create = () => creations.run(() => createFile(look, part, file));
    const attached = await once(shownId(look, part), create);
    if (attached.kind === "lease_lost") return null;
    if (attached.kind !== "ok") return fail(look, attached, part);
    externalIds.push(attached.value);
  }
  if (isFinal) await ping(look);
  const waitMs = isFinal ? null : await postpone(look);
  if (isFinal) await settle(look, externalIds);
  const facts = { parts: parts.length, latency_ms: Date.now() - reply.created_at };
  log("info", { ...factsOf(look), effect: isFinal ? "answered" : "progress", ...facts });
  return waitMs;
}

async function once(known: string | undefined, create: () => Promise<Created>): Promise<Created> {
  return known === undefined ? create() : { kind: "ok", value: known };
}

function settle({ env, lease, reply }: OpenLook, externalIds: readonly string[]): Promise<void> {
  const outcome = { state: "delivered" as const, reason: null, externalIds };
  return settleReply(env.DB, lease, reply.version, outcome, Date.now());
}

/** There is more to come. Returns the milliseconds until the next look: progress is looked at often at first and seldom later. */
async function postpone({ env, timings, lease, reply }: OpenLook): Promise<number> {
  const now = Date.now();
  const quarter = (now - reply.created_at) / 4;
  const waitMs = Math.round(Math.min(Math.max(quarter, timings.progress_ms_min), timings.progress_ms_max));
  const { version, revision } = reply;
  const ringAt = now + waitMs + timings.doorbell_grace_ms;
  await postponeReply(env.DB, lease, { version, revision, ringAt, notBefore: 0, failed: false });
  return waitMs;
}

/** Edits make no sound: after a long wait one short message does, at most once. */
async function ping(look: OpenLook): Promise<void> {
  const { env, timings, lease, reply, client } = look;
  const hadPlaceholder = reply.deliveries.some(({ part, revision }) => part === 0 && revision > 0);
  if (!hadPlaceholder || Date.now() - reply.created_at < timings.ping_after_ms) return;
  if ((await announcePing(env.DB, lease)).kind === "refused") return;
  const [done] = client.render("✅ Done.");
  const pinged = await client.create(done, { ...LATER, silent: false });
  if (pinged.kind === "ok") {
    await recordMessage(env.DB, lease, { part: "ping", externalId: pinged.value }, Date.now(), timings);
  }
}
