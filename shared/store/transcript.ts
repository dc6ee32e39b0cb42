/** What a turn can know: the conversation's latest messages, and the turns and calls of the tasks that read them. */
import sql from "sql-template-tag";
import * as z from "zod/mini";
import type { ChannelName } from "../contracts/channel.ts";
import { MessageContent } from "../contracts/message.ts";
import { Observation } from "../contracts/tool.ts";
import { ToolCall } from "../contracts/tools/index.ts";
import type { CallKey, TurnKey } from "../contracts/turn.ts";
import type { Policy } from "../policy/policy.ts";
import { LIMITS } from "../limits.ts";
import { type Batch, jsonColumn, type Results } from "./batch.ts";

/** A call of an earlier turn and what it brought. */
export interface TranscriptCall extends CallKey {
  readonly made: ToolCall;
  /** Why it waits for a person; null where it does not. */
  readonly gate: string | null;
  /** What a person said when it waited for them: an answer, or why it was denied. */
  readonly said: string | null;
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
  /** Whom the task is for: `telegram:5`, or `key:` and its hash. Those of versions before may have nobody. */
  readonly sender: string | null;
  /** Of the task: what its fence is called. */
  readonly nonce: string;
  /** Of the tenant. */
  readonly policy: Policy;
  /** Oldest first. */
  readonly messages: readonly TranscriptMessage[];
  /** Those that were answered. */
  readonly turns: readonly (TurnKey & { readonly text: string })[];
  readonly calls: readonly TranscriptCall[];
}

const MessageRow = z.object({
  kind: z.literal("message"),
  seq: z.int(),
  id: z.string(),
  content: MessageContent,
  task_id: z.string(),
  turn: z.nullable(z.int()),
});
const TurnRow = z.object({ kind: z.literal("turn"), task_id: z.string(), turn: z.int(), text: z.string() });
const CallRow = z.object({
  kind: z.literal("call"),
  task_id: z.string(),
  turn: z.int(),
  call: z.int(),
  tool: z.string(),
  input: z.unknown(),
  ok: z.nullable(z.int()),
  result: z.nullable(z.string()),
  error: z.nullable(z.string()),
  gate: z.nullable(z.string()),
  said: z.nullable(z.string()),
  images: Observation.shape.images,
});
const Row = z.object({ row: jsonColumn(z.discriminatedUnion("kind", [MessageRow, TurnRow, CallRow])) });

/**
 * Adds the statement that reads it: the newest of what was read since /new, and whatever this task has read. One statement of many
 * rows, for each statement costs, and all of it in one value would be more than D1 takes (2 MB).
 */
export function addTranscript(batch: Batch, taskId: string): Batch {
  const readers = sql`(SELECT ${taskId} UNION SELECT task_id FROM remembered)`;
  return batch.add(
    "transcript",
    sql`WITH asked AS MATERIALIZED (
        SELECT c.id AS conversation_id, c.forgotten_seq, (SELECT seq FROM messages WHERE id = t.message_id) AS began_seq
        FROM tasks t JOIN conversations c ON c.id = t.conversation_id WHERE t.id = ${taskId}
      ), remembered AS MATERIALIZED (
        SELECT * FROM (SELECT m.seq, m.id, m.content, m.task_id, m.turn FROM asked a JOIN messages m ON m.conversation_id = a.conversation_id
          WHERE m.task_id IS NOT NULL AND m.seq > a.forgotten_seq ORDER BY m.seq DESC LIMIT ${LIMITS.history_messages_max})
        UNION SELECT m.seq, m.id, m.content, m.task_id, m.turn FROM asked a JOIN messages m ON m.conversation_id = a.conversation_id
          WHERE m.task_id = ${taskId} AND m.seq >= a.began_seq
      )
      SELECT json_object('kind', 'message', 'seq', seq, 'id', id, 'content', json(content), 'task_id', task_id, 'turn', turn) AS row
      FROM remembered
      UNION ALL
      SELECT json_object('kind', 'turn', 'task_id', task_id, 'turn', turn, 'text', text)
      FROM turns WHERE task_id IN ${readers} AND text IS NOT NULL
      UNION ALL
      SELECT json_object('kind', 'call', 'task_id', task_id, 'turn', turn, 'call', call, 'tool', tool, 'input', json(input),
        'ok', ok, 'result', result, 'error', error, 'gate', gate,
        'said', CASE WHEN gate IS NOT NULL THEN (SELECT reason FROM approvals a
          WHERE a.task_id = calls.task_id AND a.turn = calls.turn AND a.call = calls.call) END, 'images', json(images))
      FROM calls WHERE task_id IN ${readers}`,
  );
}

export function readTranscript(results: Results): Pick<Transcript, "messages" | "turns" | "calls"> {
  const rows = results.rows("transcript", Row).map(({ row }) => row);
  const messages = rows
    .flatMap((row) => (row.kind === "message" ? [row] : []))
    .toSorted((one, other) => one.seq - other.seq)
    .map(({ id, content, task_id: taskId, turn }) => ({ id, content, readBy: { taskId, turn } }));
  const turns = rows
    .flatMap((row) => (row.kind === "turn" ? [{ taskId: row.task_id, turn: row.turn, text: row.text }] : []))
    .toSorted((one, other) => one.turn - other.turn);
  const calls = rows
    .flatMap((row) => (row.kind === "call" ? [readCall(row)] : []))
    .toSorted((one, other) => one.turn - other.turn || one.call - other.call);
  return { messages, turns, calls };
}

function readCall(row: z.infer<typeof CallRow>): TranscriptCall {
  const { task_id: taskId, turn, call, tool, input, ok, result, error, gate, said, images } = row;
  const observation = ok === null ? null : { ok: ok === 1, text: result ?? "", error, images };
  return { taskId, turn, call, made: ToolCall.parse({ tool, input }), gate, said, observation };
}
