/** Turns and their calls: claimed before the work, stored by key after it, so that asking twice pays once. */
import * as z from "zod/mini";
import { ChannelName } from "../contracts/channel.ts";
import { MessageContent } from "../contracts/message.ts";
import { isFinal, TaskState } from "../contracts/task.ts";
import { Observation } from "../contracts/tool.ts";
import { ToolCall } from "../contracts/tools/index.ts";
import type { StoredFile } from "../contracts/file.ts";
import type { Turn } from "../contracts/turn.ts";
import { LIMITS } from "../limits.ts";
import { ACTIVE, jsonColumn, rowOf, rowsOf, runBatch } from "./batch.ts";
import { insertArtifacts } from "./artifacts.ts";
import { textData, textKey } from "./narration.ts";
import { keepAlive } from "./tasks.ts";

const TaskRow = z.object({
  state: TaskState,
  conversation_id: z.string(),
  tenant_id: z.string(),
  channel: ChannelName,
});
const TurnRow = z.object({
  n: z.int(),
  claim: z.string(),
  claimed_until: z.int(),
  text: z.nullable(z.string()),
});
const MessageRow = z.object({
  id: z.string(),
  content: jsonColumn(MessageContent),
  turn_id: z.nullable(z.string()),
});
const CallRow = z.object({
  task_id: z.string(),
  n: z.int(),
  k: z.int(),
  tool: z.string(),
  input: jsonColumn(z.unknown()),
  ok: z.nullable(z.int()),
  result: z.nullable(z.string()),
  images: jsonColumn(Observation.shape.images),
});

/** A call of an earlier turn and what it brought. */
export interface TranscriptCall {
  readonly taskId: string;
  readonly n: number;
  readonly k: number;
  readonly call: ToolCall;
  readonly observation: Observation | null;
}

/** What a turn can know: the conversation's latest messages (each with the turn that read it), and the turns and calls of their tasks. */
export interface Transcript {
  readonly tenantId: string;
  readonly channel: ChannelName;
  readonly conversationId: string;
  readonly messages: readonly { id: string; content: MessageContent; turnId: string | null }[];
  /** Those that were answered. */
  readonly turns: readonly { taskId: string; n: number; text: string }[];
  readonly calls: readonly TranscriptCall[];
}

export type TurnClaim =
  | { kind: "claimed"; transcript: Transcript }
  | { kind: "stored"; calls: TranscriptCall[] }
  | { kind: "busy"; until: number }
  | { kind: "inactive"; state: TaskState | null };

/** What was read since /new, and whatever this task has read. `?1` is the task, `?2` how many messages back. */
const REMEMBERED = `FROM tasks t
  JOIN conversations c ON c.id = t.conversation_id JOIN messages m ON m.conversation_id = c.id
  WHERE t.id = ?1 AND m.turn_id IS NOT NULL
    AND m.seq >= MIN(c.epoch + 1, (SELECT seq FROM messages WHERE id = 'msg_' || substr(t.id, 6)))
    AND (m.seq > c.epoch OR substr(m.turn_id, 1, length(?1)) = ?1)`;
const TASKS = `SELECT ?1 UNION SELECT substr(turn_id, 1, instr(turn_id, '/') - 1)
  FROM (SELECT m.turn_id ${REMEMBERED} ORDER BY m.seq DESC LIMIT ?2)`;

const AnsweredRow = z.object({ task_id: z.string(), n: z.int(), text: z.string() });

export const turnId = (taskId: string, n: number) => `${taskId}/${n}`;

/**
 * Claims turn `n` and, in the same batch, everything unread in the conversation, but only while the task is active
 * and only under this claim: a repeated turn sees the same messages, and an ended task swallows none.
 */
export async function claimTurn(
  db: D1Database,
  { taskId, n, claim, until, now }: { taskId: string; n: number; claim: string; until: number; now: number },
): Promise<TurnClaim> {
  const results = await runBatch(db, {
    // Only while active: everything after it asks for the claim.
    claim: db
      .prepare(
        `INSERT INTO turns (task_id, n, claim, claimed_until) SELECT id, ?2, ?3, ?4 FROM tasks WHERE id = ?1 AND ${ACTIVE}
         ON CONFLICT (task_id, n) DO UPDATE SET claim = excluded.claim, claimed_until = excluded.claimed_until
         WHERE turns.text IS NULL AND turns.claimed_until <= ?5`,
      )
      .bind(taskId, n, claim, until, now),
    read: db
      .prepare(
        `UPDATE messages SET turn_id = ?2
         WHERE turn_id IS NULL
           AND conversation_id = (SELECT conversation_id FROM tasks WHERE id = ?1)
           AND EXISTS (SELECT 1 FROM turns WHERE task_id = ?1 AND n = ?3 AND claim = ?4)`,
      )
      .bind(taskId, turnId(taskId, n), n, claim),
    ...keepAlive(db, taskId, until),
    task: db
      .prepare(`SELECT t.state, t.conversation_id, t.tenant_id, c.channel FROM tasks t JOIN conversations c ON c.id = t.conversation_id
         WHERE t.id = ?`)
      .bind(taskId),
    turn: db
      .prepare("SELECT n, claim, claimed_until, text FROM turns WHERE task_id = ? AND n = ?")
      .bind(taskId, n),
    messages: db
      .prepare(`SELECT m.id, m.content, m.turn_id ${REMEMBERED} ORDER BY m.seq DESC LIMIT ?2`)
      .bind(taskId, LIMITS.history_messages_max),
    turns: db
      .prepare(
        `SELECT task_id, n, text FROM turns WHERE task_id IN (${TASKS}) AND text IS NOT NULL ORDER BY task_id, n`,
      )
      .bind(taskId, LIMITS.history_messages_max),
    calls: db
      .prepare(
        `SELECT task_id, n, k, tool, input, ok, result, images FROM calls WHERE task_id IN (${TASKS}) ORDER BY task_id, n, k`,
      )
      .bind(taskId, LIMITS.history_messages_max),
  });
  const task = rowOf(results("task"), TaskRow);
  const turn = rowOf(results("turn"), TurnRow);
  if (task === undefined || turn === undefined || isFinal(task.state)) {
    return { kind: "inactive", state: task?.state ?? null };
  }
  const calls = rowsOf(results("calls"), CallRow).map(transcriptCall);
  const conversationId = task.conversation_id;
  if (turn.text !== null) {
    return { kind: "stored", calls: calls.filter((call) => call.taskId === taskId && call.n === n) };
  }
  if (turn.claim !== claim) return { kind: "busy", until: turn.claimed_until };
  const messages = rowsOf(results("messages"), MessageRow)
    .toReversed()
    .map(({ id, content, turn_id }) => ({ id, content, turnId: turn_id }));
  const turns = rowsOf(results("turns"), AnsweredRow).map((row) => ({
    taskId: row.task_id,
    n: row.n,
    text: row.text,
  }));
  const { tenant_id: tenantId, channel } = task;
  return { kind: "claimed", transcript: { tenantId, channel, conversationId, messages, turns, calls } };
}

/** A turn as it is stored, under its claim. */
export interface StoredTurn {
  taskId: string;
  n: number;
  claim: string;
  turn: Turn;
  /** What was too long to be said is a file. */
  files: readonly StoredFile[];
  /** What of its text no event has told yet. */
  untold: string;
  /** Ids of the messages that it read. */
  read: readonly string[];
  latencyMs: number;
  until: number;
  now: number;
}

/** Stores a claimed turn and its calls. Lost: the claim was somebody else's, and nothing was changed. */
export async function storeTurn(
  db: D1Database,
  stored: StoredTurn,
): Promise<{ kind: "stored" } | { kind: "lost" }> {
  const { taskId, n, claim, turn } = stored;
  const mine = "EXISTS (SELECT 1 FROM turns WHERE task_id = ?1 AND n = ?2 AND claim = ?3 AND text IS NULL)";
  const calls = turn.calls.map(({ tool, input }, index) => ({ k: index + 1, tool, input }));
  const results = await runBatch(db, {
    ...(stored.files.length > 0 && {
      files: insertArtifacts(db, { ...stored, k: 0 }, stored.files, mine),
    }),
    calls: db
      .prepare(
        `INSERT INTO calls (task_id, n, k, tool, input)
         SELECT ?1, ?2, value->>'k', value->>'tool', value->'input' FROM json_each(?4) WHERE ${mine}
         ON CONFLICT DO NOTHING`,
      )
      .bind(taskId, n, claim, JSON.stringify(calls)),
    event: db
      .prepare(
        `INSERT INTO events (task_id, key, at, data)
         SELECT ?1, value->>'key', ?4, value->>'data' FROM json_each(?5) WHERE ${mine} ORDER BY key ON CONFLICT DO NOTHING`,
      )
      .bind(
        taskId,
        n,
        claim,
        stored.now,
        JSON.stringify([
          ...(stored.untold === ""
            ? []
            : [{ key: `${textKey(n, stored.now)}, end`, data: textData(n, claim, stored.untold) }]),
          {
            key: `planned ${n}`,
            data: JSON.stringify({ model: turn.model, calls: calls.length, read: stored.read }),
          },
        ]),
      ),
    // Last of these, for the others look whether it is still to be answered.
    turn: db
      .prepare(
        `UPDATE turns SET text = ?4, model = ?5, tokens_in = ?6, tokens_out = ?7, latency_ms = ?8, cost_usd = ?9
         WHERE task_id = ?1 AND n = ?2 AND claim = ?3 AND text IS NULL`,
      )
      .bind(
        taskId,
        n,
        claim,
        turn.text,
        turn.model,
        turn.usage.tokensIn,
        turn.usage.tokensOut,
        stored.latencyMs,
        turn.usage.costUsd,
      ),
    ...keepAlive(db, taskId, stored.until),
  });
  return { kind: results("turn").meta.changes === 1 ? "stored" : "lost" };
}

/** Gives a claimed turn back after a Transient failure, and keeps the task alive until it is asked for again. */
export async function releaseTurn(
  db: D1Database,
  released: {
    taskId: string;
    n: number;
    claim: string;
    until: number;
    reason: string;
    retryAfterMs: number;
    now: number;
  },
): Promise<void> {
  const { taskId, n, claim, until, now } = released;
  await runBatch(db, {
    release: db
      .prepare(
        "UPDATE turns SET claimed_until = 0 WHERE task_id = ? AND n = ? AND claim = ? AND text IS NULL",
      )
      .bind(taskId, n, claim),
    event: db
      .prepare("INSERT INTO events (task_id, key, at, data) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
      .bind(
        taskId,
        `delayed ${n} at ${now}`,
        now,
        JSON.stringify({ reason: released.reason, retry_after_ms: released.retryAfterMs }),
      ),
    ...keepAlive(db, taskId, until),
  });
}

function transcriptCall(row: z.infer<typeof CallRow>): TranscriptCall {
  const { task_id: taskId, n, k, tool, input, ok, result, images } = row;
  const observation = ok === null ? null : { ok: ok === 1, text: result ?? "", images };
  return { taskId, n, k, call: ToolCall.parse({ tool, input }), observation };
}
