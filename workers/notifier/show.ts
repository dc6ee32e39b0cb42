/** Making what is shown what is wanted. Where messages can be edited, the answer itself is always an edit of a message whose id is in the ledger. */
import type { Mutex } from "../../shared/mutex.ts";
import { log } from "../../shared/log.ts";
import { announcePing, recordAbsent, recordMessage } from "../../shared/store/record-message.ts";
import { postponeReply, settleReply } from "../../shared/store/settle-reply.ts";
import { listButtons, listFiles, renderParts } from "./content.ts";
import { createFile, type Created, createFirst, createLater, isWhole, LATER } from "./create.ts";
import { chooseWay, findShownId, getLogFacts, type OpenAttempt } from "./attempt.ts";
import { fail } from "./outcome.ts";

/** Begins what is due: the first message, which the lease has announced. Null: no message is created before the answer. */
export async function begin(attempt: OpenAttempt): Promise<Created | null> {
  const { final, buttons } = attempt.reply;
  if (final === 1 || buttons !== null || chooseWay(attempt) === "placeholder") return createFirst(attempt);
  await recordAbsent(attempt.env.DB, attempt.lease, 0);
  return null;
}

/** What is shown before the answer where it is no message: a draft, or a sign of life. Returns the milliseconds until the next attempt. */
export async function showBeforeAnswer(attempt: OpenAttempt): Promise<number | null> {
  const { client, reply } = attempt;
  const [part] = renderParts(reply, client);
  const shown = await (client.drafts === null ? client.typing?.show() : client.drafts.show(part));
  if (shown !== undefined && shown.kind !== "ok") return fail(attempt, shown, null);
  return postpone(attempt);
}

/** Shows the reply as it is wanted now. Returns the milliseconds until the next attempt, or null when there is none. */
export async function show(
  attempt: OpenAttempt & { creations: Mutex },
  first: Created,
): Promise<number | null> {
  const { reply, client, creations } = attempt;
  const isFinal = reply.final === 1;
  const parts = renderParts(reply, client);
  const externalIds: string[] = [];
  for (const [index, part] of parts.entries()) {
    const known = findShownId(attempt, index);
    const created =
      index === 0 ? first : await once(known, () => creations.run(() => createLater(attempt, index, part)));
    if (created.kind === "lease_lost") return null;
    if (created.kind !== "ok") return fail(attempt, created, index);
    externalIds.push(created.value);
    // Created just now and whole, it says already what it is to say.
    if (known === undefined && isWhole(attempt)) continue;
    const buttons = index === parts.length - 1 ? listButtons(reply) : [];
    const edited = await client.editing?.edit(created.value, part, buttons);
    if (edited !== undefined && edited.kind !== "ok")
      return fail(attempt, edited, edited.kind === "gone" ? index : null);
  }
  for (const [index, file] of listFiles(reply).entries()) {
    const part = parts.length + index;
    const create = () => creations.run(() => createFile(attempt, part, file));
    const attached = await once(findShownId(attempt, part), create);
    if (attached.kind === "lease_lost") return null;
    if (attached.kind !== "ok") return fail(attempt, attached, part);
    externalIds.push(attached.value);
  }
  if (isFinal) await ping(attempt);
  const waitMs = isFinal ? null : await postpone(attempt);
  if (isFinal) await settle(attempt, externalIds);
  const facts = { parts: parts.length, latency_ms: Date.now() - reply.created_at };
  log("info", { ...getLogFacts(attempt), effect: isFinal ? "answered" : "progress", ...facts });
  return waitMs;
}

async function once(known: string | undefined, create: () => Promise<Created>): Promise<Created> {
  return known === undefined ? create() : { kind: "ok", value: known };
}

function settle({ env, lease, reply }: OpenAttempt, externalIds: readonly string[]): Promise<void> {
  const outcome = { state: "delivered" as const, reason: null, externalIds };
  return settleReply(env.DB, lease, reply.version, outcome, Date.now());
}

/** There is more to come. Returns the milliseconds until the next attempt: progress is looked at often at first and seldom later; null where there is none. */
async function postpone({ env, timings, lease, reply }: OpenAttempt): Promise<number | null> {
  const now = Date.now();
  const { version, revision } = reply;
  const shown = { version, revision, notBefore: 0, failed: false };
  if (reply.buttons !== null || reply.is_waiting === 1) {
    // What is asked stays as it is until it is decided, which rings it.
    await postponeReply(env.DB, lease, { ...shown, ringAt: now + timings.question_ms });
    return null;
  }
  const quarter = (now - reply.created_at) / 4;
  const waitMs = Math.round(Math.min(Math.max(quarter, timings.progress_ms_min), timings.progress_ms_max));
  const ringAt = now + waitMs + timings.doorbell_grace_ms;
  await postponeReply(env.DB, lease, { ...shown, ringAt });
  return waitMs;
}

/** Edits make no sound: after a long wait one short message does, at most once. */
async function ping(attempt: OpenAttempt): Promise<void> {
  const { env, timings, lease, reply, client } = attempt;
  const hadPlaceholder = reply.deliveries.some(({ part, revision }) => part === 0 && revision > 0);
  if (!hadPlaceholder || reply.buttons !== null || Date.now() - reply.created_at < timings.ping_after_ms)
    return;
  if ((await announcePing(env.DB, lease)).kind === "refused") return;
  const [done] = client.render("✅ Done.");
  const pinged = await client.create(done, { ...LATER, silent: false });
  if (pinged.kind === "ok") {
    await recordMessage(env.DB, lease, { part: "ping", externalId: pinged.value }, Date.now(), timings);
  }
}
