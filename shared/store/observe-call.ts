/** Storing what a call brought, and the files that it made; the first to store it wins. */
import sql from "sql-template-tag";
import type { Outcome } from "../contracts/tool.ts";
import type { CallKey } from "../contracts/turn.ts";
import { Batch } from "./batch.ts";
import { insertArtifacts } from "./statements/artifacts.ts";
import { appendEvent } from "./statements/events.ts";
import { addWaiting } from "./statements/waiting.ts";
import { taskActive } from "./statements/guards.ts";

export async function observeCall(
  db: D1Database,
  key: CallKey,
  { ok, text, images, output, value, error, files }: Outcome,
  { latencyMs, now, isBesideWaiting }: { latencyMs: number; now: number; isBesideWaiting: boolean },
): Promise<void> {
  const { taskId, turn, call } = key;
  const isOpen = sql`EXISTS (SELECT 1 FROM calls WHERE task_id = ${taskId} AND turn = ${turn} AND call = ${call} AND ok IS NULL)`;
  const data = { ok, latency_ms: latencyMs, files: files.map(({ name }) => name) };
  const event = { type: "observed" as const, turn, call, attempt: null, data };
  const batch = new Batch();
  // A file that came after the end would change the order of those that are being sent.
  if (files.length > 0)
    batch.add("files", insertArtifacts(key, files, sql`${isOpen} AND ${taskActive(taskId)}`));
  batch.add("event", appendEvent(taskId, event, now, isOpen)).add(
    "call",
    sql`UPDATE calls SET ok = ${ok ? 1 : 0}, result = ${text}, output = ${output}, value = ${value}, error = ${error},
          images = ${JSON.stringify(images)}
        WHERE task_id = ${taskId} AND turn = ${turn} AND call = ${call} AND ok IS NULL`,
  );
  // Of the calls of its turn perhaps all that are left wait for a person.
  if (isBesideWaiting) addWaiting(batch, taskId, now);
  await batch.run(db);
}
