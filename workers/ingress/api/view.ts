/** A task as programs see it: state, answer, usage and the receipt. Times are ISO 8601, in UTC. */
import type { TaskEvent } from "../../../shared/contracts/event.ts";
import { isFinal } from "../../../shared/contracts/task.ts";
import type { Artifact, ReceiptEvent, Task } from "../../../shared/contracts/api.ts";
import type { TaskReceipt } from "../../../shared/store/receipt.ts";

export function linksOf(taskId: string) {
  const self = `/v1/tasks/${taskId}`;
  return { self, events: `${self}/events`, cancel: `${self}/cancel`, messages: `${self}/messages` };
}

/** `artifacts`: those of the task, with their links. */
export function taskView(
  { task, usage, calls, deliveries, events }: TaskReceipt,
  artifacts: Artifact[],
): Task {
  return {
    id: task.id,
    status: task.state,
    channel: task.channel,
    created_at: iso(task.created_at),
    ended_at: task.ended_at === null ? null : iso(task.ended_at),
    deadline_at: iso(task.deadline_at),
    result: isFinal(task.state)
      ? {
          text: task.text,
          calls: calls.map(({ turn, call, tool, ok, result }) => ({
            id: `${turn}.${call}`,
            tool,
            ok: ok === null ? null : ok === 1,
            output: result,
          })),
          artifacts,
        }
      : null,
    usage: {
      turns: usage.turns,
      tokens_in: usage.tokens_in,
      tokens_out: usage.tokens_out,
      model_ms: usage.model_ms,
      cost_usd: usage.cost_usd,
    },
    delivery:
      task.channel === "api"
        ? null
        : {
            state: task.reply_state,
            reason: task.reply_reason,
            messages: deliveries.map(({ part, state, external_id, doubts }) => ({
              part,
              state,
              id: external_id,
              doubts,
            })),
          },
    receipt: events.map(eventView),
    links: linksOf(task.id),
  };
}

/** An event as programs see it: its name says at which turn, or call, it happened. */
export function eventView({ seq, type, turn, call, attempt, at, data }: TaskEvent): ReceiptEvent {
  const where = turn === null ? "" : call === null ? ` ${turn}` : ` ${turn}.${call}`;
  return {
    seq,
    at: iso(at),
    event: `${type}${where}`,
    data: type === "text" ? { turn, attempt, ...data } : data,
  };
}

export const iso = (ms: number) => new Date(ms).toISOString();
