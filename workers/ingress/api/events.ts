/** A task's events as they happen: server-sent events, which whoever was cut off takes up again at the last one it has read. */
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import { readTimings } from "../../../shared/config.ts";
import { isFinal } from "../../../shared/contracts/task.ts";
import { type FollowedTask, followTask } from "../../../shared/store/receipt.ts";
import type { Env } from "../env.ts";
import { buildEventView } from "./view.ts";

/** Streams what is known (`first`) and then what comes, until the task is over or the stream's time is. */
export function streamEvents(
  c: Context<{ Bindings: Env }>,
  task: { keyHash: string; taskId: string },
  first: FollowedTask,
  after: number,
): Response {
  // 204 tells an EventSource not to come again.
  if (isOver(first) && first.events.length === 0) return new Response(null, { status: 204 });
  const timings = readTimings(c.env);
  return streamSSE(c, async (stream) => {
    const end = Date.now() + timings.events_stream_ms;
    let saidAt = Date.now();
    let last = after;
    let seen: FollowedTask = first;
    for (;;) {
      for (const event of seen.events) {
        const { seq, ...view } = buildEventView(event);
        await stream.writeSSE({ id: String(seq), event: event.type, data: JSON.stringify(view) });
        last = seq;
        saidAt = Date.now();
      }
      if (isOver(seen) || stream.aborted || Date.now() > end) return;
      if (Date.now() - saidAt > timings.events_ping_ms) {
        await stream.write(": still here\n\n");
        saidAt = Date.now();
      }
      await stream.sleep(timings.events_poll_ms);
      const next = await followTask(c.env.DB, { ...task, after: last });
      // The key was withdrawn meanwhile.
      if (next.kind !== "ok") return;
      seen = next.value;
    }
  });
}

/** Nothing will happen to it any more. */
function isOver({ task }: FollowedTask): boolean {
  return isFinal(task.state) && (task.channel === "api" || task.reply_state !== "open");
}
