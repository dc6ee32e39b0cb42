/**
 * Making what is shown what is wanted. The only call that cannot be repeated is the creation of a message; the answer
 * itself is always an edit of a message whose id is in the ledger.
 */
import { LIMITS } from "../../shared/limits.ts";
import { log } from "../../shared/log.ts";
import { announce, announcePing, PING_PART, recordCreated, settleReply } from "../../shared/store/replies.ts";
import type { Part, Sent } from "./channels/index.ts";
import { factsOf, failed, type Showing } from "./failures.ts";

/** The lease went to somebody else, who makes the difference now. */
const LEASE_LOST = "lease lost";

/** Shows the reply as it is wanted now. Returns the milliseconds until the next look, or null when there is none. */
export async function show(showing: Showing): Promise<number | null> {
  const { env, timings, lease, reply, sender } = showing;
  const isFinal = reply.final === 1;
  const parts = isFinal ? sender.render(cut(reply.text)) : [progressOf(showing)];
  const externalIds: string[] = [];
  // Announced so far: the first part with the lease, each next one when its predecessor was recorded.
  let announced = 0;
  for (const [index, part] of parts.entries()) {
    const known = showing.deliveries.find(
      (delivery) => delivery.part === index && delivery.state === "shown",
    );
    const isLast = index === parts.length - 1;
    const created = known?.external_id
      ? { kind: "ok" as const, value: known.external_id }
      : await create(showing, index, {
          wanted: part,
          isAnnounced: announced === index,
          nextPart: isLast ? null : index + 1,
        });
    if (created === LEASE_LOST) return null;
    if (known === undefined) announced = index + 1;
    if (created.kind !== "ok") return failed(showing, created, index);
    externalIds.push(created.value);
    // A placeholder that was created just now says already what it is to say.
    if (!isFinal && known === undefined) continue;
    const edited = await showing.outlet.edit(created.value, part);
    if (edited.kind === "gone") return failed(showing, edited, index);
    if (edited.kind !== "ok") return failed(showing, edited, null);
  }
  if (isFinal) await ping(showing);
  const now = Date.now();
  const waitMs = pace(showing, now);
  const outcome = isFinal ? { state: "delivered" as const, reason: null, externalIds } : null;
  const lookAt = now + waitMs + timings.doorbell_grace_ms;
  await settleReply(
    env.DB,
    lease,
    { version: reply.version, revision: reply.revision, outcome, lookAt, failed: false },
    now,
  );
  log("info", {
    ...factsOf(reply),
    effect: isFinal ? "answered" : "progress",
    parts: parts.length,
    latency_ms: now - reply.created_at,
  });
  return isFinal ? null : waitMs;
}

/** Creates a part's message, with its first words, and puts its id into the ledger. */
async function create(
  showing: Showing,
  index: number,
  { wanted, isAnnounced, nextPart }: { wanted: Part; isAnnounced: boolean; nextPart: number | null },
): Promise<Sent<string> | typeof LEASE_LOST> {
  const { env, timings, lease, reply, sender, outlet } = showing;
  const doubtful = showing.deliveries.find(({ part, state }) => part === index && state === "doubtful");
  if (doubtful !== undefined) {
    const reason = `created ${doubtful.doubts} times without ever hearing of the outcome`;
    if (doubtful.doubts > LIMITS.doubts_max) return { kind: "undeliverable", reason };
    // The question can be repeated, the creation cannot: ask whether anybody is there before creating it again.
    const alive = await outlet.alive();
    if (alive.kind === "doubt") return { ...alive, kind: "later", rateLimited: false };
    if (alive.kind !== "ok") return alive;
  }
  const isNew = isAnnounced && doubtful === undefined;
  if (!isNew && !(await announce(env.DB, lease, index))) return LEASE_LOST;
  const isFinal = reply.final === 1;
  const created = await outlet.create(isFinal ? sender.preview(wanted) : wanted, !isFinal || index > 0);
  if (created.kind !== "ok") return created;
  const recorded = await recordCreated(
    env.DB,
    lease,
    { part: index, externalId: created.value, nextPart },
    Date.now(),
    timings,
  );
  if (recorded) return created;
  await outlet.remove(created.value);
  return LEASE_LOST;
}

/** Edits make no sound: after a long wait one short message does, at most once. */
async function ping({ env, timings, lease, reply, deliveries, sender, outlet }: Showing): Promise<void> {
  const hadPlaceholder = deliveries.some(({ part, revision }) => part === 0 && revision > 0);
  if (!hadPlaceholder || Date.now() - reply.created_at < timings.ping_after_ms) return;
  if (!(await announcePing(env.DB, lease))) return;
  const [done] = sender.render("✅ Done.");
  const pinged = done && (await outlet.create(done, false));
  if (pinged?.kind !== "ok") return;
  await recordCreated(
    env.DB,
    lease,
    { part: PING_PART, externalId: pinged.value, nextPart: null },
    Date.now(),
    timings,
  );
}

function progressOf({ reply, sender }: Showing): Part {
  const seconds = Math.round((Date.now() - reply.created_at) / 1_000);
  const [part] = sender.render(`⏳ ${reply.text === "" ? "Working" : reply.text} · ${seconds} s`);
  return part ?? { markup: "⏳", plain: "⏳" };
}

/** Progress is looked at often at first and seldom later. */
function pace({ timings, reply }: Showing, now: number): number {
  const quarter = (now - reply.created_at) / 4;
  return Math.round(Math.min(Math.max(quarter, timings.progress_ms_min), timings.progress_ms_max));
}

function cut(text: string): string {
  if (text.length <= LIMITS.answer_chars_max) return text;
  const kept = text.slice(0, LIMITS.answer_chars_max);
  return `${kept}\n\n… (${text.length - kept.length} more characters were cut)`;
}
