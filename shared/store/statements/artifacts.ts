/** Files that a task made: their content lies in R2, by its hash. */
import sql, { raw, type Sql } from "sql-template-tag";
import * as z from "zod/mini";
import { StoredFile } from "../../contracts/file.ts";
import type { CallKey } from "../../contracts/turn.ts";
import { LIMITS } from "../../limits.ts";

/** Writes down files, while `guard` holds, as far as their task may have more. Call 0: the turn's own answer. */
export function insertArtifacts(
  { taskId, turn, call }: CallKey,
  files: readonly StoredFile[],
  guard: Sql,
): Sql {
  return sql`INSERT INTO artifacts (task_id, turn, call, position, name, mime, bytes, sha256)
    SELECT ${taskId}, ${turn}, ${call}, key, value->>'name', value->>'mime', value->>'bytes', value->>'sha256'
    FROM json_each(${JSON.stringify(files)}) WHERE ${guard}
    ORDER BY key LIMIT MAX(0, ${LIMITS.artifacts_per_task_max} - (SELECT COUNT(*) FROM artifacts WHERE task_id = ${taskId}))
    ON CONFLICT DO NOTHING`;
}

/** A task's artifacts as a JSON column, in the order in which they were made; `id` is SQL for the task's id. */
export function artifactsColumn(id: "t.id" | "r.id"): Sql {
  return sql`(SELECT json_group_array(json_object('turn', turn, 'call', call, 'position', position, 'sha256', sha256, 'name', name, 'mime', mime, 'bytes', bytes) ORDER BY turn, call, position)
    FROM artifacts WHERE task_id = ${raw(id)})`;
}

/** A file and where it was made: the call, and the how-manieth of it. */
export const StoredArtifact = z.extend(StoredFile, { turn: z.int(), call: z.int(), position: z.int() });
export type StoredArtifact = z.infer<typeof StoredArtifact>;
export const Artifacts = z.array(StoredArtifact);
