/** What is stored of a conversation, so that two tellings of one story can be compared: ids by order, no times, no counts of tries. */
import type { Pipeline } from "./pipeline.ts";

/** Whoever has planned the last turn has ended the task, under a name of their own. */
const CLAIMS = /\bturn:[0-9a-f-]{36}/g;
const IDS = /\b(inb|conv|msg|task|appr)_[0-9a-z]{26}\b/g;
/** What a request says of itself: its short id, and until when it is open. */
const REQUESTS = /`?\/approve [0-9a-z]{6}`? or `?\/deny [0-9a-z]{6}`?, until [-\d: ]+ UTC/g;

/** How long it is until a day of spending renews. */
const RENEWAL = /in \d+ h \d+ min/g;

/** Of the newest conversation: every story has one of its own. */
export async function newestState(pipeline: Pipeline): Promise<{ state: unknown; tasks: string[] }> {
  const [conversation] = await pipeline.sql<{ id: string }>(
    "SELECT id FROM conversations ORDER BY created_at DESC LIMIT 1",
  );
  const of = (sql: string) => pipeline.sql<Record<string, unknown>>(sql, conversation?.id ?? "");
  const ofTasks = (columns: string, table: string, order: string) =>
    of(
      `SELECT ${columns} FROM ${table} x JOIN tasks t ON t.id = x.task_id WHERE t.conversation_id = ? ORDER BY t.seq, ${order}`,
    );
  const tasks = await of(
    "SELECT id, state, ended_by, error FROM tasks WHERE conversation_id = ? ORDER BY seq",
  );
  const state = {
    tasks,
    inbound: await of("SELECT id, state, note FROM inbound WHERE conversation_id = ? ORDER BY seq"),
    messages: await of(
      "SELECT id, content, task_id, turn FROM messages WHERE conversation_id = ? ORDER BY seq",
    ),
    turns: await ofTasks("x.task_id, x.turn, x.text, x.model", "turns", "x.turn"),
    calls: await ofTasks(
      "x.task_id, x.turn, x.call, x.tool, x.input, x.ok, x.result, x.output, x.value, x.error",
      "calls",
      "x.turn, x.call",
    ),
    approvals: await ofTasks(
      "x.id, x.task_id, x.turn, x.call, x.kind, x.state, x.reason",
      "approvals",
      "x.turn, x.call",
    ),
    attachments: await of(
      "SELECT a.message_id, a.position, a.sha256, a.failure FROM attachments a JOIN messages m ON m.id = a.message_id WHERE m.conversation_id = ? ORDER BY m.seq, a.position",
    ),
    artifacts: await ofTasks(
      "x.task_id, x.sha256, x.name, x.bytes",
      "artifacts",
      "x.turn, x.call, x.position",
    ),
    // How often somebody had to wait, or to begin again, is no part of the end, nor is what was said until then.
    events: (await ofTasks("x.task_id, x.type, x.turn, x.call", "events", "x.type, x.turn, x.call")).filter(
      ({ type }) => type !== "delayed" && type !== "revived" && type !== "text",
    ),
    replies: await of(
      `SELECT r.id, r.text, r.final, r.state, r.reason, (SELECT json_group_array(part || ' ' || state ORDER BY part)
         FROM deliveries WHERE reply_id = r.id) AS parts
       FROM replies r LEFT JOIN tasks t ON t.id = r.id WHERE r.conversation_id = ? ORDER BY t.seq, r.created_at`,
    ),
  };
  return { state: withoutIds(state), tasks: tasks.map(({ id }) => String(id)) };
}

/** What is shown, without what differs in each run. */
export const withoutRequests = (text: string) =>
  text.replaceAll(REQUESTS, "/approve or /deny").replaceAll(RENEWAL, "in a while");

/** The first inbound is `inb#1`, and so on. A message and the task it starts keep their likeness. */
function withoutIds(state: unknown): unknown {
  const numbers = new Map<string, number>();
  const text = JSON.stringify(state)
    .replaceAll(CLAIMS, "turn:")
    .replaceAll(REQUESTS, "/approve or /deny")
    .replaceAll(RENEWAL, "in a while")
    .replaceAll(IDS, (id) => {
      const [kind = "", suffix = ""] = id.split("_");
      if (!numbers.has(suffix)) numbers.set(suffix, numbers.size + 1);
      return `${kind}#${numbers.get(suffix)}`;
    });
  return JSON.parse(text);
}
