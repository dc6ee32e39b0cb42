/** A task as programs see it: state, answer, usage and the receipt. Times are ISO 8601, in UTC. */
import type { TaskEvent } from "../../../shared/contracts/event.ts";
import { isFinal } from "../../../shared/contracts/task.ts";
import type { Artifact, ReceiptEvent, Task } from "../../../shared/contracts/api.ts";
import type { StoredFile } from "../../../shared/contracts/file.ts";
import { CONTAINER_USD_PER_S } from "../../../shared/limits.ts";
import type { TaskReceipt } from "../../../shared/store/receipt.ts";
import type { StoredArtifact } from "../../../shared/store/statements/artifacts.ts";

export function buildLinks(taskId: string) {
  const self = `/v1/tasks/${taskId}`;
  return { self, events: `${self}/events`, cancel: `${self}/cancel`, messages: `${self}/messages` };
}

/** `artifacts`: those of the task, with their links. */
export function buildTaskView(
  { task, usage, calls, deliveries, events }: TaskReceipt,
  artifacts: Artifact[],
): Task {
  return {
    id: task.id,
    status: task.state,
    channel: task.channel,
    created_at: formatTime(task.created_at),
    ended_at: task.ended_at === null ? null : formatTime(task.ended_at),
    deadline_at: formatTime(task.deadline_at),
    error: task.error,
    result: isFinal(task.state)
      ? {
          text: task.text,
          calls: calls.map((call) => ({ ...viewCall(call), files: listFiles(task, call) })),
          artifacts,
        }
      : null,
    usage: {
      turns: usage.turns,
      tokens_in: usage.tokens_in,
      tokens_out: usage.tokens_out,
      model_ms: usage.model_ms,
      cost_usd: usage.cost_usd,
      container_s: usage.container_ms / 1_000,
      container_usd: priceContainer(usage.container_ms),
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
    receipt: events.map(buildEventView),
    links: buildLinks(task.id),
  };
}

/** A millionth of a dollar is nobody's business. */
const USD_DIGITS = 6;

const priceContainer = (ms: number) => Number(((ms / 1_000) * CONTAINER_USD_PER_S).toFixed(USD_DIGITS));

function viewCall({ turn, call, tool, ok, output, value, error }: TaskReceipt["calls"][number]) {
  const id = `${turn}.${call}`;
  return {
    id,
    tool,
    ok: ok === null ? null : ok === 1,
    output,
    ...(value !== null && { value: readJson(value) }),
    error,
  };
}

const readJson = (text: string): unknown => JSON.parse(text);

function listFiles({ id, artifacts }: TaskReceipt["task"], { turn, call }: { turn: number; call: number }) {
  return artifacts
    .filter((one) => one.turn === turn && one.call === call)
    .map((one) => makeArtifactId(id, one));
}

/** Names the file by the task, the call and its place there. */
export function makeArtifactId(
  taskId: string,
  { turn, call, position }: Omit<StoredArtifact, keyof StoredFile>,
): string {
  return `${taskId.replace(/^task_/, "art_")}_${turn}.${call}.${position}`;
}

/** An event as programs see it: its name says at which turn, or call, it happened. */
export function buildEventView({ seq, type, turn, call, attempt, at, data }: TaskEvent): ReceiptEvent {
  const where = turn === null ? "" : call === null ? ` ${turn}` : ` ${turn}.${call}`;
  return {
    seq,
    at: formatTime(at),
    event: `${type}${where}`,
    data: type === "text" ? { turn, attempt, ...data } : data,
  };
}

export const formatTime = (ms: number) => new Date(ms).toISOString();
