/** Making what is shown what is wanted. Where messages can be edited, the answer itself is always an edit of a message whose id is in the ledger. */
import type { Lane } from "../../shared/lane.ts";
import { log } from "../../shared/log.ts";
import { announcePing, recordAbsent, recordCreated, settleReply } from "../../shared/store/replies.ts";
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

/** Begins what is due: the first message, if there is to be one now. Null: nothing is shown before the answer. */
export function begin(look: OpenLook): Promise<Created> | null {
  return look.reply.final === 0 && wayOf(look) === "final" ? null : createFirst(look);
}

/** Nothing to show before the answer, but a sign of life. Returns the milliseconds until the next look. */
export async function waitForAnswer(look: OpenLook): Promise<number> {
  const { env, lease, client } = look;
  await recordAbsent(env.DB, lease, 0);
  await client.typing?.show();
  return settle(look, null);
}

/** Shows the reply as it is wanted now. Returns the milliseconds until the next look, or null when there is none. */
export async function show(look: OpenLook & { creations: Lane }, first: Created): Promise<number | null> {
  const { reply, client, creations } = look;
  const isFinal = reply.final === 1;
  const parts = partsOf(reply, client);
  const externalIds: string[] = [];
  for (const [index, part] of parts.entries()) {
    const known = shownId(look, index);
    const created =
      index === 0 ? first : await once(known, () => creations.enter(() => createLater(look, index, part)));
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
    const create = () => creations.enter(() => createFile(look, part, file));
    const attached = await once(shownId(look, part), create);
    if (attached.kind === "lease_lost") return null;
    if (attached.kind !== "ok") return fail(look, attached, part);
    externalIds.push(attached.value);
  }
  if (isFinal) await ping(look);
  const waitMs = await settle(look, isFinal ? externalIds : null);
  const facts = { parts: parts.length, latency_ms: Date.now() - reply.created_at };
  log("info", { ...factsOf(look), effect: isFinal ? "answered" : "progress", ...facts });
  return isFinal ? null : waitMs;
}

async function once(known: string | undefined, create: () => Promise<Created>): Promise<Created> {
  return known === undefined ? create() : { kind: "ok", value: known };
}

/** Ends the look: with the messages of the answer, or until there is more. Returns the milliseconds until the next look. */
async function settle({ env, timings, lease, reply }: OpenLook, answered: string[] | null): Promise<number> {
  const now = Date.now();
  // Progress is looked at often at first and seldom later.
  const quarter = (now - reply.created_at) / 4;
  const waitMs = Math.round(Math.min(Math.max(quarter, timings.progress_ms_min), timings.progress_ms_max));
  const outcome = answered && { state: "delivered" as const, reason: null, externalIds: answered };
  const lookAt = now + waitMs + timings.doorbell_grace_ms;
  const { version, revision } = reply;
  await settleReply(env.DB, lease, { version, revision, outcome, lookAt, failed: false }, now);
  return waitMs;
}

/** Edits make no sound: after a long wait one short message does, at most once. */
async function ping(look: OpenLook): Promise<void> {
  const { env, timings, lease, reply, deliveries, client } = look;
  const hadPlaceholder = deliveries.some(({ part, revision }) => part === 0 && revision > 0);
  if (!hadPlaceholder || Date.now() - reply.created_at < timings.ping_after_ms) return;
  if (!(await announcePing(env.DB, lease))) return;
  const [done] = client.render("✅ Done.");
  const pinged = await client.create(done, { ...LATER, silent: false });
  if (pinged.kind === "ok") {
    await recordCreated(env.DB, lease, { part: "ping", externalId: pinged.value }, Date.now(), timings);
  }
}
