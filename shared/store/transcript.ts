/** What a turn can know: the conversation's latest messages, and the turns and calls of the tasks that read them. */
import sql, { type Sql } from "sql-template-tag";
import * as z from "zod/mini";
import type { ChannelName } from "../contracts/channel.ts";
import { MessageContent } from "../contracts/message.ts";
import { Observation } from "../contracts/tool.ts";
import { ToolCall } from "../contracts/tools/index.ts";
import type { CallKey, TurnKey } from "../contracts/turn.ts";
import { LIMITS } from "../limits.ts";
import { type Batch, jsonColumn, type Results } from "./batch.ts";

/** A call of an earlier turn and what it brought. */
export interface TranscriptCall extends CallKey {
  readonly made: ToolCall;
  /** Null: it is not done. */
  readonly observation: Observation | null;
}

export interface TranscriptMessage {
  readonly id: string;
  readonly content: MessageContent;
  /** Whose turn read it; without a turn, the end of that task did. */
  readonly readBy: { readonly taskId: string; readonly turn: number | null };
}

/** Whether a message was new to that turn. */
export function wasReadIn({ taskId, turn }: TurnKey): (message: TranscriptMessage) => boolean {
  return ({ readBy }) => readBy.taskId === taskId && readBy.turn === turn;
}

export interface Transcript {
  readonly tenantId: string;
  readonly channel: ChannelName;
  readonly conversationId: string;
  /** Oldest first. */
  readonly messages: readonly TranscriptMessage[];
  /** Those that were answered. */
  readonly turns: readonly (TurnKey & { readonly text: string })[];
  readonly calls: readonly TranscriptCall[];
}

const MessageRow = z.object({
  id: z.string(),
  content: jsonColumn(MessageContent),
  task_id: z.string(),
  turn: z.nullable(z.int()),
});
const TurnRow = z.object({ task_id: z.string(), turn: z.int(), text: z.string() });
const CallRow = z.object({
  task_id: z.string(),
  turn: z.int(),
  call: z.int(),
  tool: z.string(),
  input: jsonColumn(z.unknown()),
  ok: z.nullable(z.int()),
  result: z.nullable(z.string()),
  images: jsonColumn(Observation.shape.images),
});

/** What was read since /new, and whatever this task has read; the newest first. */
function remembered(taskId: string): Sql {
  return sql`FROM tasks t
    JOIN conversations c ON c.id = t.conversation_id JOIN messages m ON m.conversation_id = c.id
    WHERE t.id = ${taskId} AND m.task_id IS NOT NULL
      AND m.seq >= MIN(c.forgotten_seq + 1, (SELECT seq FROM messages WHERE id = t.message_id))
      AND (m.seq > c.forgotten_seq OR m.task_id = t.id)
    ORDER BY m.seq DESC LIMIT ${LIMITS.history_messages_max}`;
}

/** Adds the statements that read it. */
export function addTranscript(batch: Batch, taskId: string): Batch {
  const tasks = sql`(SELECT ${taskId} UNION SELECT task_id FROM (SELECT m.task_id ${remembered(taskId)}))`;
  return batch
    .add("messages", sql`SELECT m.id, m.content, m.task_id, m.turn ${remembered(taskId)}`)
    .add(
      "turns",
      sql`SELECT task_id, turn, text FROM turns WHERE task_id IN ${tasks} AND text IS NOT NULL ORDER BY task_id, turn`,
    )
    .add(
      "calls",
      sql`SELECT task_id, turn, call, tool, input, ok, result, images FROM calls WHERE task_id IN ${tasks}
        ORDER BY task_id, turn, call`,
    );
}

export function readTranscript(results: Results): Pick<Transcript, "messages" | "turns" | "calls"> {
  const messages = results.rows("messages", MessageRow).map(({ id, content, task_id: taskId, turn }) => ({
    id,
    content,
    readBy: { taskId, turn },
  }));
  const turns = results
    .rows("turns", TurnRow)
    .map(({ task_id: taskId, turn, text }) => ({ taskId, turn, text }));
  return { messages: messages.toReversed(), turns, calls: results.rows("calls", CallRow).map(readCall) };
}

function readCall(row: z.infer<typeof CallRow>): TranscriptCall {
  const { task_id: taskId, turn, call, tool, input, ok, result, images } = row;
  const observation = ok === null ? null : { ok: ok === 1, text: result ?? "", images };
  return { taskId, turn, call, made: ToolCall.parse({ tool, input }), observation };
}
