/**
 * Making what is shown what is wanted. The only call that cannot be repeated is the creation of a message; the answer
 * itself is always an edit of a message whose id is in the ledger.
 */
import type { Lane } from "../../shared/lane.ts";
import type { StoredFile } from "../../shared/contracts/file.ts";
import { reasonOf } from "../../shared/errors.ts";
import { readFile, sizeOf } from "../../shared/files.ts";
import { LIMITS } from "../../shared/limits.ts";
import { asCode, beginning } from "../../shared/text.ts";
import { log } from "../../shared/log.ts";
import {
  announce,
  announcePing,
  recordCreated,
  type ReplyRow,
  settleReply,
} from "../../shared/store/replies.ts";
import { stopButtonOf } from "../../shared/words.ts";
import type { Button, Part, Sent } from "./channels/index.ts";
import { factsOf, failed, type Showing } from "./failures.ts";

/** A message's id; or that the lease went to somebody else, who makes the difference now. */
export type Created = Sent<string> | { kind: "lease lost" };

/** The first part's message: the one in the ledger, or one that is created now. The lease has announced it. */
export async function createFirst(showing: Showing): Promise<Created> {
  const [part] = partsOf(showing);
  const known = shownId(showing, 0);
  if (known !== undefined) return { kind: "ok", value: known };
  const ledger = isDoubtful(showing, 0) ? "announce" : "announced";
  return create(showing, 0, () => begin(showing, 0, part), ledger);
}

/** Shows the reply as it is wanted now. Returns the milliseconds until the next look, or null when there is none. */
export async function show(showing: Showing & { creations: Lane }, first: Created): Promise<number | null> {
  const { env, timings, lease, reply, outlet } = showing;
  const isFinal = reply.final === 1;
  const parts = partsOf(showing);
  const externalIds: string[] = [];
  for (const [index, part] of parts.entries()) {
    const known = shownId(showing, index);
    const next = () =>
      showing.creations.enter(() => create(showing, index, () => begin(showing, index, part), "announce"));
    const created = index === 0 ? first : known ? { kind: "ok" as const, value: known } : await next();
    if (created.kind === "lease lost") return null;
    if (created.kind !== "ok") return failed(showing, created, index);
    externalIds.push(created.value);
    // A placeholder that was created just now says already what it is to say.
    if (!isFinal && known === undefined) continue;
    const edited = await outlet.edit(created.value, part, buttonOf(reply));
    if (edited.kind !== "ok") return failed(showing, edited, edited.kind === "gone" ? index : null);
  }
  for (const [index, file] of filesOf(showing).entries()) {
    const part = parts.length + index;
    const known = shownId(showing, part);
    const attached =
      known === undefined
        ? await showing.creations.enter(() => create(showing, part, () => attach(showing, file), "announce"))
        : { kind: "ok" as const, value: known };
    if (attached.kind === "lease lost") return null;
    if (attached.kind !== "ok") return failed(showing, attached, part);
    externalIds.push(attached.value);
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
  const facts = { parts: parts.length, latency_ms: now - reply.created_at };
  log("info", { ...factsOf(reply), effect: isFinal ? "answered" : "progress", ...facts });
  return isFinal ? null : waitMs;
}

/** A part's message, with its first words. */
function begin({ reply, sender, outlet }: Showing, index: number, wanted: Part): Promise<Sent<string>> {
  const isFinal = reply.final === 1;
  const how = { silent: !isFinal || index > 0, isFirst: index === 0, button: buttonOf(reply) };
  return outlet.create(isFinal ? sender.preview(wanted) : wanted, how);
}

/** What runs can be stopped where it is seen. */
function buttonOf({ id, final }: ReplyRow): Button | null {
  return final === 0 ? stopButtonOf(id) : null;
}

/** Any message but the first. */
const LATER = { silent: true, isFirst: false, button: null };

/** A file's message. There is nothing to edit in it: when its creation is in doubt, it may be seen twice. */
async function attach({ env, sender, outlet }: Showing, file: StoredFile): Promise<Sent<string>> {
  const { sha256, name, mime, bytes } = file;
  const [instead] = sender.render(`📎 ${asCode(name)} (${sizeOf(bytes)}) could not be attached.`);
  try {
    const kept = await readFile(env.FILES, sha256);
    if (kept === null) return await outlet.create(instead, LATER);
    return await outlet.attach({ name, mime, content: new Uint8Array(await kept.arrayBuffer()) }, instead);
  } catch (error) {
    return { kind: "later", reason: `the file store: ${reasonOf(error)}`, rateLimited: false };
  }
}

/** Creates a part's message and puts its id into the ledger. */
async function create(
  showing: Showing,
  index: number,
  send: () => Promise<Sent<string>>,
  ledger: "announced" | "announce",
): Promise<Created> {
  const { env, timings, lease, outlet } = showing;
  if (isDoubtful(showing, index)) {
    const trouble = await troubleWithDoubt(showing, index);
    if (trouble !== null) return trouble;
  }
  if (ledger === "announce" && !(await announce(env.DB, lease, index))) return { kind: "lease lost" };
  const created = await send();
  if (created.kind !== "ok") return created;
  const message = { part: index, externalId: created.value };
  if (await recordCreated(env.DB, lease, message, Date.now(), timings)) return created;
  await outlet.remove(created.value);
  return { kind: "lease lost" };
}

/** Before a message whose creation is in doubt is created again: not too often, and only if the platform is there to hear it. */
async function troubleWithDoubt({ deliveries, outlet }: Showing, index: number): Promise<Created | null> {
  const doubts = deliveries.find(({ part }) => part === index)?.doubts ?? 0;
  if (doubts > LIMITS.doubts_max) {
    return { kind: "undeliverable", reason: `created ${doubts} times without ever hearing of the outcome` };
  }
  const alive = await outlet.alive();
  if (alive.kind === "ok") return null;
  return alive.kind === "doubt" ? { ...alive, kind: "later", rateLimited: false } : alive;
}

/** Edits make no sound: after a long wait one short message does, at most once. */
async function ping(showing: Showing): Promise<void> {
  const { env, timings, lease, reply, deliveries, sender, outlet } = showing;
  const hadPlaceholder = deliveries.some(({ part, revision }) => part === 0 && revision > 0);
  if (!hadPlaceholder || Date.now() - reply.created_at < timings.ping_after_ms) return;
  if (!(await announcePing(env.DB, lease))) return;
  const [done] = sender.render("✅ Done.");
  const pinged = await outlet.create(done, { ...LATER, silent: false });
  if (pinged.kind === "ok") {
    await recordCreated(env.DB, lease, { part: "ping", externalId: pinged.value }, Date.now(), timings);
  }
}

/** What goes with the answer, after its words. */
function filesOf({ reply }: Showing): readonly StoredFile[] {
  return reply.final === 1 ? reply.artifacts : [];
}

function shownId({ deliveries }: Showing, index: number): string | undefined {
  const delivery = deliveries.find(({ part, state }) => part === index && state === "shown");
  return delivery?.external_id ?? undefined;
}

function isDoubtful({ deliveries }: Showing, index: number): boolean {
  return deliveries.some(({ part, state }) => part === index && state === "doubtful");
}

function partsOf({ reply, sender }: Showing): readonly [Part, ...Part[]] {
  if (reply.final === 1) return sender.render(cut(reply.text));
  const seconds = Math.round((Date.now() - reply.created_at) / 1_000);
  const said = reply.text === "" ? "Working" : latest(reply.text, LIMITS.progress_chars_max);
  const [first] = sender.render(`⏳ ${seconds} s\n\n${said}`);
  return [first];
}

/** Of what is being said, the newest is what people read along. */
function latest(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : `… ${text.slice(-charsMax).toWellFormed()}`;
}

/** Progress is looked at often at first and seldom later. */
function pace({ timings, reply }: Showing, now: number): number {
  const quarter = (now - reply.created_at) / 4;
  return Math.round(Math.min(Math.max(quarter, timings.progress_ms_min), timings.progress_ms_max));
}

function cut(text: string): string {
  if (text.length <= LIMITS.answer_chars_max) return text;
  const kept = beginning(text, LIMITS.answer_chars_max);
  return `${kept}\n\n… (${text.length - kept.length} more characters were cut)`;
}
