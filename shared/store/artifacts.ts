/** Artifacts: the files that a task made. Their content lies in R2, by its hash. */
import * as z from "zod/mini";
import { StoredFile } from "../contracts/file.ts";
import { LIMITS } from "../limits.ts";
import { rowOf, runBatch } from "./batch.ts";
import type { CallKey } from "./calls.ts";

/** Writes down what a call made, as far as its task may have more. The same content is one artifact of a task. */
export function insertArtifacts(
  db: D1Database,
  { taskId, n, k }: CallKey,
  files: readonly StoredFile[],
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO artifacts (task_id, sha256, n, k, i, name, mime, bytes)
       SELECT ?1, value->>'sha256', ?2, ?3, key, value->>'name', value->>'mime', value->>'bytes' FROM json_each(?4) WHERE true
       ORDER BY key LIMIT MAX(0, ?5 - (SELECT COUNT(*) FROM artifacts WHERE task_id = ?1))
       ON CONFLICT DO NOTHING`,
    )
    .bind(taskId, n, k, JSON.stringify(files), LIMITS.artifacts_per_task_max);
}

/** What a turn said beyond what can be shown, under its claim: `mine` is SQL over the task, the turn and the claim. */
export function insertAnswerFiles(
  db: D1Database,
  { taskId, n, claim, files }: { taskId: string; n: number; claim: string; files: readonly StoredFile[] },
  mine: string,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO artifacts (task_id, sha256, n, k, i, name, mime, bytes)
       SELECT ?1, value->>'sha256', ?2, 0, key, value->>'name', value->>'mime', value->>'bytes' FROM json_each(?4) WHERE ${mine}
       ON CONFLICT DO NOTHING`,
    )
    .bind(taskId, n, claim, JSON.stringify(files));
}

/** A task's artifacts as a JSON column, in the order in which they were made; `id` is SQL for the task's id. */
export const artifactsOf = (id: string) =>
  `(SELECT json_group_array(json_object('sha256', sha256, 'name', name, 'mime', mime, 'bytes', bytes) ORDER BY n, k, i)
    FROM artifacts WHERE task_id = ${id})`;

/** One artifact: of the tenant of a key, or, for a signed link, of whichever tenant. */
export async function findArtifact(
  db: D1Database,
  { taskId, sha256, keyHash }: { taskId: string; sha256: string; keyHash: string | null },
): Promise<StoredFile | "unauthorized" | undefined> {
  const results = await runBatch(db, {
    key: db.prepare("SELECT 1 FROM api_keys WHERE hash = ?").bind(keyHash),
    artifact: db
      .prepare(
        `SELECT a.sha256, a.name, a.mime, a.bytes FROM artifacts a JOIN tasks t ON t.id = a.task_id
         WHERE a.task_id = ?1 AND a.sha256 = ?2
           AND (?3 IS NULL OR t.tenant_id = (SELECT tenant_id FROM api_keys WHERE hash = ?3))`,
      )
      .bind(taskId, sha256, keyHash),
  });
  if (keyHash !== null && results("key").results.length === 0) return "unauthorized";
  return rowOf(results("artifact"), StoredFile);
}

export const Artifacts = z.array(StoredFile);
