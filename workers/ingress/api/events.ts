/** A task's events as they happen: server-sent events, which whoever was cut off takes up again at the last one it has read. */
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import { readTimings } from "../../../shared/config.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { isFinal } from "../../../shared/contracts/task.ts";
import { type FollowedTask, followTask } from "../../../shared/store/receipt.ts";
import { closeStream, keepStream } from "../../../shared/store/streams.ts";
import type { Caller } from "../../../shared/store/statements/guards.ts";
import type { Env } from "../env.ts";
import { tooMany } from "../problem.ts";
import { buildEventView } from "./view.ts";

/** A stream counts as open for so many pings: whoever breaks off without a word frees it then. */
const PINGS_OPEN = 2;

/** Streams what is known (`first`) and then what comes, until the task is over or the stream's time is. Throws when the key has too many open. */
export async function streamEvents(
  c: Context<{ Bindings: Env }>,
  task: { caller: Caller; taskId: string },
  first: FollowedTask,
  after: number,
): Promise<Response> {
  // 204 tells an EventSource not to come again.
  if (isOver(first) && first.events.length === 0) return new Response(null, { status: 204 });
  const timings = readTimings(c.env);
  const opened = { keyHash: task.caller.keyHash, id: crypto.randomUUID() };
  const keep = (now: number) => keepStream(c.env.DB, opened, now + PINGS_OPEN * timings.events_ping_ms, now);
  if (!(await keep(Date.now()))) {
    const detail = `This key has ${LIMITS.streams_per_key_max} event streams open, and may have no more. Close one.`;
    throw tooMany("Too many streams", detail);
  }
  return streamSSE(c, async (stream) => {
    stream.onAbort(() => closeStream(c.env.DB, opened));
    const end = Date.now() + timings.events_stream_ms;
    let saidAt = Date.now();
    let keptAt = saidAt;
    let last = after;
    let seen: FollowedTask = first;
    for (;;) {
      for (const event of seen.events) {
        const { seq, ...view } = buildEventView(event);
        await stream.writeSSE({ id: String(seq), event: event.type, data: JSON.stringify(view) });
        last = seq;
        saidAt = Date.now();
      }
      if (isOver(seen) || stream.aborted || Date.now() > end) break;
      if (Date.now() - saidAt > timings.events_ping_ms) {
        await stream.write(": still here\n\n");
        saidAt = Date.now();
      }
      if (Date.now() - keptAt > timings.events_ping_ms) {
        keptAt = Date.now();
        await keep(keptAt);
      }
      await stream.sleep(timings.events_poll_ms);
      const next = await followTask(c.env.DB, {
        ...task,
        caller: { ...task.caller, now: Date.now() },
        after: last,
      });
      // The key was withdrawn meanwhile.
      if (next.kind !== "ok") break;
      seen = next.value;
    }
    await closeStream(c.env.DB, opened);
  });
}

/** Nothing will happen to it any more. */
function isOver({ task }: FollowedTask): boolean {
  return isFinal(task.state) && (task.channel === "api" || task.reply_state !== "open");
}
