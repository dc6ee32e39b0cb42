/** Artifacts: the files that a task made. Their content lies in R2, by its hash. */
import * as z from "zod/mini";
import { StoredFile } from "../contracts/file.ts";
import { LIMITS } from "../limits.ts";
import type { CallKey } from "../contracts/turn.ts";
import { rowOf, runBatch } from "./batch.ts";
import { found, NOT_FOUND, type Outcome, UNAUTHORIZED } from "./outcome.ts";

/**
 * Writes down files, while `guard` holds, as far as their task may have more; the same content is one artifact of a task.
 * `guard` is SQL over ?1 the task, ?2 the turn, ?3 `claim`, ?4 the call (0: the turn's own answer).
 */
export function insertArtifacts(
  db: D1Database,
  { taskId, n, k, claim }: CallKey & { claim: string | null },
  files: readonly StoredFile[],
  guard: string,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO artifacts (task_id, sha256, n, k, i, name, mime, bytes)
       SELECT ?1, value->>'sha256', ?2, ?4, key, value->>'name', value->>'mime', value->>'bytes' FROM json_each(?5)
       WHERE ${guard}
       ORDER BY key LIMIT MAX(0, ?6 - (SELECT COUNT(*) FROM artifacts WHERE task_id = ?1))
       ON CONFLICT DO NOTHING`,
    )
    .bind(taskId, n, claim, k, JSON.stringify(files), LIMITS.artifacts_per_task_max);
}

/** A task's artifacts as a JSON column, in the order in which they were made; `id` is SQL for the task's id. */
export const artifactsOf = (id: string) =>
  `(SELECT json_group_array(json_object('sha256', sha256, 'name', name, 'mime', mime, 'bytes', bytes) ORDER BY n, k, i)
    FROM artifacts WHERE task_id = ${id})`;

/** One artifact: of the tenant of a key, or, for a signed link, of whichever tenant. */
export async function findArtifact(
  db: D1Database,
  { taskId, sha256, keyHash }: { taskId: string; sha256: string; keyHash: string | null },
): Promise<Outcome<StoredFile>> {
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
  if (keyHash !== null && results("key").results.length === 0) return UNAUTHORIZED;
  const artifact = rowOf(results("artifact"), StoredFile);
  return artifact === undefined ? NOT_FOUND : found(artifact);
}

export const Artifacts = z.array(StoredFile);
