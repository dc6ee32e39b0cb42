/**
 * The files of a conversation: its manifest, read, and changed by compare-and-set. Of two that change the same path the later is told,
 * and nothing of its change is done.
 */
import sql, { type Sql } from "sql-template-tag";
import * as z from "zod/mini";
import { LIMITS } from "../limits.ts";
import { Batch, type Results, select } from "./batch.ts";
import { taskActive } from "./statements/guards.ts";

export const WorkspaceFile = z.object({
  path: z.string(),
  sha256: z.string(),
  bytes: z.int(),
  mime: z.string(),
});
export type WorkspaceFile = z.infer<typeof WorkspaceFile>;

/** All of them, by path. */
export function readManifest(db: D1Database, conversationId: string): Promise<WorkspaceFile[]> {
  return select(
    db,
    sql`SELECT path, sha256, bytes, mime FROM workspace_files WHERE conversation_id = ${conversationId} ORDER BY path`,
    WorkspaceFile,
  );
}

/** What a path is to be: from what whoever changes it has seen there. */
export interface PathChange {
  readonly path: string;
  /** The hash that was there; null: there was nothing; `ANYTHING`: it does not matter. */
  readonly base: string | null;
  /** Null: it is deleted. */
  readonly file: Omit<WorkspaceFile, "path"> | null;
}

/** As a base: what was there is overwritten, whatever it is. */
export const ANYTHING = "*";

export interface WorkspaceChange {
  readonly conversationId: string;
  /** Whose change it is: done again under the same key, it changes nothing more. */
  readonly key: string;
  readonly changes: readonly PathChange[];
}

export type Changed =
  | { kind: "changed" }
  /** Somebody else has changed these meanwhile. */
  | { kind: "conflict"; paths: string[] }
  | { kind: "full"; reason: string };

/** All of it, or nothing: and nothing for a task that has ended. */
export async function changeWorkspace(
  db: D1Database,
  taskId: string,
  change: WorkspaceChange,
  now: number,
): Promise<Changed> {
  const whose = sql`SELECT tenant_id, NULL FROM conversations WHERE id = ${change.conversationId}`;
  return readChange(await addChange(new Batch(), change, { whose, only: taskActive(taskId) }, now).run(db));
}

/** Whether it was made, of a batch that `addChange` has added to. */
export function readChange(results: Results): Changed {
  if (results.has("mine")) return { kind: "changed" };
  const paths = results.rows("conflicts", z.object({ path: z.string() })).map(({ path }) => path);
  if (paths.length > 0) return { kind: "conflict", paths };
  const { workspace_files_max: filesMax, workspace_bytes_max: bytesMax } = LIMITS;
  const reason = `the workspace holds ${filesMax} files of ${bytesMax / 1024 ** 2} MiB together at most: delete some first`;
  return { kind: "full", reason };
}

/** Adds the change. `whose` is SQL for the tenant and the sender of a workspace that is new, `only` for what must hold. */
export function addChange(
  batch: Batch,
  { conversationId, key, changes }: WorkspaceChange,
  { whose, only }: { readonly whose: Sql; readonly only: Sql },
  now: number,
): Batch {
  const wanted = selectWanted(changes);
  const mine = sql`EXISTS (SELECT 1 FROM workspaces WHERE conversation_id = ${conversationId} AND changed_by = ${key})`;
  return batch
    .add(
      "workspace",
      sql`INSERT INTO workspaces (conversation_id, tenant_id, sender, changed_at)
        SELECT ${conversationId}, whose.*, ${now} FROM (${whose}) whose WHERE ${only} ON CONFLICT DO NOTHING`,
    )
    .add(
      "take",
      sql`UPDATE workspaces SET changed_by = ${key}, changed_at = ${now} WHERE conversation_id = ${conversationId}
        AND ${only} AND NOT EXISTS (${selectConflicts(conversationId, wanted)})
        AND (SELECT COUNT(*) <= ${LIMITS.workspace_files_max} AND COALESCE(SUM(bytes), 0) <= ${LIMITS.workspace_bytes_max}
          FROM (${selectAfter(conversationId, wanted)}))`,
    )
    .add(
      "delete",
      sql`DELETE FROM workspace_files WHERE conversation_id = ${conversationId} AND ${mine}
        AND path IN (SELECT path FROM (${wanted}) WHERE sha256 IS NULL)`,
    )
    .add(
      "write",
      sql`INSERT INTO workspace_files (conversation_id, path, sha256, bytes, mime)
        SELECT ${conversationId}, path, sha256, bytes, mime FROM (${wanted}) WHERE sha256 IS NOT NULL AND ${mine}
        ON CONFLICT DO UPDATE SET sha256 = excluded.sha256, bytes = excluded.bytes, mime = excluded.mime`,
    )
    .add("mine", sql`SELECT 1 AS mine WHERE ${mine}`)
    .add("conflicts", sql`SELECT path FROM (${selectConflicts(conversationId, wanted)})`);
}

const selectWanted = (changes: readonly PathChange[]): Sql =>
  sql`SELECT value->>'path' AS path, value->>'base' AS base, value->>'$.file.sha256' AS sha256, value->>'$.file.bytes' AS bytes,
      value->>'$.file.mime' AS mime FROM json_each(${JSON.stringify(changes)})`;

/** Paths where there is neither what was seen nor what is wanted. */
const selectConflicts = (conversationId: string, wanted: Sql): Sql =>
  sql`SELECT c.path FROM (${wanted}) c LEFT JOIN workspace_files w ON w.conversation_id = ${conversationId} AND w.path = c.path
    WHERE c.base IS NOT ${ANYTHING} AND w.sha256 IS NOT c.base AND w.sha256 IS NOT c.sha256`;

/** The sizes of the files that there would be. */
const selectAfter = (conversationId: string, wanted: Sql): Sql =>
  sql`SELECT bytes FROM workspace_files WHERE conversation_id = ${conversationId} AND path NOT IN (SELECT path FROM (${wanted}))
    UNION ALL SELECT bytes FROM (${wanted}) WHERE sha256 IS NOT NULL`;
