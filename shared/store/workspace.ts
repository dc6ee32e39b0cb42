/**
 * The files of a conversation: its manifest, read, and changed by compare-and-set. Of two that change the same path the later is told,
 * and nothing of its change is done.
 */
import sql, { type Sql } from "sql-template-tag";
import * as z from "zod/mini";
import type { CallKey } from "../contracts/turn.ts";
import { LIMITS } from "../limits.ts";
import { DEFAULT_POLICY, Policy } from "../policy/policy.ts";
import { Batch, jsonColumn, type Results, select } from "./batch.ts";
import { taskActive } from "./statements/guards.ts";

export const WorkspaceFile = z.object({
  path: z.string(),
  sha256: z.string(),
  bytes: z.int(),
  mime: z.string(),
  /** The message that it came with, wherever it lies by now: it goes with it. Null: a tool or a program has made it. */
  message_id: z.nullable(z.string()),
});
export type WorkspaceFile = z.infer<typeof WorkspaceFile>;

/** All of them, by path. */
export function readManifest(db: D1Database, conversationId: string): Promise<WorkspaceFile[]> {
  return select(db, selectManifest(conversationId), WorkspaceFile);
}

const selectManifest = (conversationId: string): Sql =>
  sql`SELECT path, sha256, bytes, mime, message_id FROM workspace_files WHERE conversation_id = ${conversationId} ORDER BY path`;

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
  readonly changes: readonly PathChange[];
}

export type Changed =
  | { kind: "changed" }
  /** Somebody else has changed these meanwhile, or stands in the way there. */
  | { kind: "conflict"; paths: string[] }
  | { kind: "full" }
  /** Nobody waits for it any more, or it was made before. */
  | { kind: "late" };

/** A workspace, as a call finds it. */
export interface Found {
  readonly files: WorkspaceFile[];
  /** What the call has said of the change that it has made; null: it has made none. */
  readonly made: string | null;
  /** Of the tenant whose conversation it is. */
  readonly policy: Policy;
}

export async function readWorkspace(db: D1Database, call: CallKey, conversationId: string): Promise<Found> {
  const results = await new Batch()
    .add("files", selectManifest(conversationId))
    .add("made", sql`SELECT changed FROM calls WHERE ${isCall(call)}`)
    .add(
      "policy",
      sql`SELECT n.policy FROM conversations c JOIN tenants n ON n.id = c.tenant_id WHERE c.id = ${conversationId}`,
    )
    .run(db);
  return {
    files: results.rows("files", WorkspaceFile),
    made: results.row("made", z.object({ changed: z.nullable(z.string()) }))?.changed ?? null,
    policy:
      results.row("policy", z.object({ policy: z.nullable(jsonColumn(Policy)) }))?.policy ?? DEFAULT_POLICY,
  };
}

/** All of it, or nothing; once for each call, with what is said of it; and nothing for a task that has ended. */
export async function changeByCall(
  db: D1Database,
  call: CallKey,
  change: WorkspaceChange & { readonly said: string },
  now: number,
): Promise<Changed> {
  const whose = sql`SELECT tenant_id, NULL FROM conversations WHERE id = ${change.conversationId}`;
  const only = sql`${taskActive(call.taskId)} AND EXISTS (SELECT 1 FROM calls WHERE ${isCall(call)} AND ok IS NULL AND changed IS NULL)`;
  const nonce = crypto.randomUUID();
  const batch = addChange(new Batch(), change, { whose, only, nonce }, now).add(
    "said",
    sql`UPDATE calls SET changed = ${change.said} WHERE ${isCall(call)} AND ${takenBy(change, nonce)}`,
  );
  return readChange(await batch.run(db));
}

const isCall = ({ taskId, turn, call }: CallKey): Sql =>
  sql`task_id = ${taskId} AND turn = ${turn} AND call = ${call}`;

/** Whether it was made, of a batch that `addChange` has added to. */
export function readChange(results: Results): Changed {
  if (results.has("mine")) return { kind: "changed" };
  const paths = results.rows("conflicts", z.object({ path: z.string() })).map(({ path }) => path);
  if (paths.length > 0) return { kind: "conflict", paths };
  return { kind: results.has("fits") ? "late" : "full" };
}

interface Taking {
  /** SQL for the tenant and the sender of a workspace that is new. */
  readonly whose: Sql;
  /** What must hold. */
  readonly only: Sql;
  /** Of this attempt alone: what has it was changed by this batch. */
  readonly nonce: string;
}

const takenBy = ({ conversationId }: WorkspaceChange, nonce: string): Sql =>
  sql`EXISTS (SELECT 1 FROM workspaces WHERE conversation_id = ${conversationId} AND changed_by = ${nonce})`;

/** Adds the change. */
export function addChange(
  batch: Batch,
  change: WorkspaceChange,
  { whose, only, nonce }: Taking,
  now: number,
): Batch {
  const { conversationId } = change;
  const wanted = selectWanted(change.changes);
  const mine = takenBy(change, nonce);
  const conflicts = selectConflicts(conversationId, wanted);
  const fits = selectFits(conversationId, wanted);
  return (
    batch
      // As it was before the change.
      .add("conflicts", sql`SELECT DISTINCT path FROM (${conflicts})`)
      .add("fits", sql`SELECT 1 AS fits WHERE ${fits}`)
      .add(
        "workspace",
        sql`INSERT INTO workspaces (conversation_id, tenant_id, sender, changed_at)
          SELECT ${conversationId}, whose.*, ${now} FROM (${whose}) whose
          WHERE ${only} AND NOT EXISTS (${conflicts}) AND ${fits} ON CONFLICT DO NOTHING`,
      )
      .add(
        "take",
        sql`UPDATE workspaces SET changed_by = ${nonce}, changed_at = ${now}
          WHERE conversation_id = ${conversationId} AND ${only} AND NOT EXISTS (${conflicts}) AND ${fits}`,
      )
      .add(
        "delete",
        sql`DELETE FROM workspace_files WHERE conversation_id = ${conversationId} AND ${mine}
          AND path IN (SELECT path FROM (${wanted}) WHERE sha256 IS NULL)`,
      )
      .add(
        "write",
        sql`INSERT INTO workspace_files (conversation_id, path, sha256, bytes, mime, message_id)
          SELECT ${conversationId}, path, sha256, bytes, mime, message_id FROM (${wanted}) WHERE sha256 IS NOT NULL AND ${mine}
          ON CONFLICT DO UPDATE SET sha256 = excluded.sha256, bytes = excluded.bytes, mime = excluded.mime, message_id = excluded.message_id`,
      )
      .add("mine", sql`SELECT 1 AS mine WHERE ${mine}`)
  );
}

const selectWanted = (changes: readonly PathChange[]): Sql =>
  sql`SELECT value->>'path' AS path, value->>'base' AS base, value->>'$.file.sha256' AS sha256, value->>'$.file.bytes' AS bytes,
      value->>'$.file.mime' AS mime, value->>'$.file.message_id' AS message_id FROM json_each(${JSON.stringify(changes)})`;

/** Paths where there is not what was seen, or where something stands in the way: a path is a file's or a folder's. */
const selectConflicts = (conversationId: string, wanted: Sql): Sql =>
  sql`SELECT c.path FROM (${wanted}) c LEFT JOIN workspace_files w ON w.conversation_id = ${conversationId} AND w.path = c.path
      WHERE c.base IS NOT ${ANYTHING} AND w.sha256 IS NOT c.base
    UNION ALL SELECT c.path FROM (${wanted}) c JOIN workspace_files f ON f.conversation_id = ${conversationId}
      WHERE c.sha256 IS NOT NULL AND f.path NOT IN (SELECT path FROM (${wanted}) WHERE sha256 IS NULL)
        AND (substr(f.path, 1, length(c.path) + 1) = c.path || '/' OR substr(c.path, 1, length(f.path) + 1) = f.path || '/')`;

/** There would not be too many files, or too large ones; or fewer, or smaller ones, than there are: what is full can be emptied. */
function selectFits(conversationId: string, wanted: Sql): Sql {
  const held = sql`SELECT bytes FROM workspace_files WHERE conversation_id = ${conversationId}`;
  const after = sql`${held} AND path NOT IN (SELECT path FROM (${wanted})) UNION ALL SELECT bytes FROM (${wanted}) WHERE sha256 IS NOT NULL`;
  const count = sql`COUNT(*)`;
  const size = sql`COALESCE(SUM(bytes), 0)`;
  const isWithin = (what: Sql, most: number) =>
    sql`(SELECT ${what} FROM (${after})) <= MAX(${most}, (SELECT ${what} FROM (${held})))`;
  return sql`${isWithin(count, LIMITS.workspace_files_max)} AND ${isWithin(size, LIMITS.workspace_bytes_max)}`;
}
