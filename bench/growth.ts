/** Does an answer take longer when there is more behind it? A long conversation, and a full database. */
import { deriveId } from "../shared/ids.ts";
import { round, spreadOf } from "./stats.ts";
import { openOurs } from "./subject.ts";

type Ours = Awaited<ReturnType<typeof openOurs>>;

const ASKED = 20;
const ANSWERED_MS_MAX = 30_000;

export interface Growth {
  what: string;
  /** Median milliseconds to the answer. */
  points: { size: number; medianMs: number }[];
  /** The largest over the smallest. */
  ratio: number;
}

export async function measureGrowth(): Promise<Growth[]> {
  const ours = await openOurs();
  try {
    for (let i = 0; i < ASKED; i++) await askMs(ours, 1);
    return [await ofConversation(ours), await ofDatabase(ours)];
  } finally {
    await ours.close();
  }
}

/** The same question as the first, the thousandth and the ten thousandth message: in turns, so that noise meets all alike. */
async function ofConversation(ours: Ours): Promise<Growth> {
  const sizes = [1, 1_000, 10_000];
  const chats = sizes.map((size) => 10_000_000 + size);
  for (const [index, size] of sizes.entries()) await fill(ours, `${chats[index]}`, `c${size}`, size - 1);
  const times = sizes.map((): number[] => []);
  for (let i = 0; i < ASKED; i++) {
    for (const [index, chat] of chats.entries()) times[index]?.push(await askMs(ours, chat));
  }
  return growthOf("the n-th message of a conversation", sizes, times);
}

async function ofDatabase(ours: Ours): Promise<Growth> {
  const sizes = [100, 100_000];
  const times: number[][] = [];
  let there = 0;
  for (const size of sizes) {
    // Conversations of ten tasks each, as people have them.
    for (; there < size; there += 10_000) await fill(ours, null, `d${there}`, Math.min(size - there, 10_000));
    const taken: number[] = [];
    for (let i = 0; i < ASKED * 2; i++) taken.push(await askMs(ours, 20_000_000 + size + i));
    times.push(taken);
  }
  return growthOf("a message in a database of n tasks", sizes, times);
}

function growthOf(what: string, sizes: readonly number[], times: readonly number[][]): Growth {
  const points = sizes.map((size, index) => ({ size, medianMs: spreadOf(times[index] ?? []).p50 }));
  const medians = points.map(({ medianMs }) => medianMs);
  return { what, points, ratio: round((medians.at(-1) ?? 0) / (medians[0] ?? 1)) };
}

async function askMs(ours: Ours, chat: number): Promise<number> {
  const start = performance.now();
  const answered = new Promise<void>((resolve, reject) => {
    setTimeout(() => reject(new Error(`chat ${chat} was not answered`)), ANSWERED_MS_MAX).unref();
    ours.onAnswer = () => resolve();
  });
  await ours.send(chat, { calls: 0, thinkMs: 0 });
  await answered;
  const ms = performance.now() - start;
  await ours.pipeline.quiet();
  return ms;
}

/** Tasks that were done long ago, each with its message, turn, reply, delivery and events. */
async function fill(ours: Ours, chatId: string | null, prefix: string, count: number): Promise<void> {
  if (count === 0) return;
  const own = chatId === null ? null : await deriveId("conv", "default", "telegram", chatId);
  const numbers = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`;
  const id = `'${prefix}' || i`;
  const conversation = own === null ? `'conv_${prefix}' || (i / 10)` : `'${own}'`;
  const rows: [columns: string, values: string][] = [
    [
      "conversations (id, tenant_id, channel, address, created_at)",
      `DISTINCT ${conversation}, 'default', 'telegram', json_object('channel', 'telegram', 'chatId', '${chatId ?? "1"}'), 1`,
    ],
    [
      "messages (id, conversation_id, content, starts_task_id, task_id, turn, created_at)",
      `'msg_' || ${id}, ${conversation}, json_object('type', 'text', 'text', 'calls 0'), 'task_' || ${id}, 'task_' || ${id}, 1, i`,
    ],
    [
      "tasks (id, tenant_id, conversation_id, message_id, state, deadline_at, ended_by, created_at, ended_at)",
      `'task_' || ${id}, 'default', ${conversation}, 'msg_' || ${id}, 'succeeded', 1, 'workflow', i, i`,
    ],
    [
      "turns (task_id, turn, claim, claimed_until, text, model, tokens_in, tokens_out, latency_ms)",
      `'task_' || ${id}, 1, 'c', 1, 'done', 'scripted', 0, 0, 0`,
    ],
    [
      "replies (id, tenant_id, conversation_id, text, final, state, created_at)",
      `'task_' || ${id}, 'default', ${conversation}, 'done', 1, 'delivered', i`,
    ],
    ["deliveries (reply_id, part, state, external_id)", `'task_' || ${id}, 0, 'shown', '1'`],
    [
      "events (task_id, seq, type, at)",
      `'task_' || ${id}, type.key + 1, type.value, i FROM n, json_each('["accepted","queued","planned","ended","delivered"]') type`,
    ],
  ];
  for (const [columns, values] of rows) {
    const from = values.includes(" FROM n") ? "" : " FROM n";
    await ours.pipeline.sql(
      `INSERT INTO ${columns} ${numbers} SELECT ${values}${from} WHERE true ON CONFLICT DO NOTHING`,
    );
  }
}
