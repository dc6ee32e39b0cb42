/** The workspace of a program's conversation, for whoever has a key: of what they have begun themselves, and for `admin` of all. */
import sql, { type Sql } from "sql-template-tag";
import * as z from "zod/mini";
import { Batch } from "./batch.ts";
import {
  type Found,
  found,
  type NotFound,
  NOT_FOUND,
  readList,
  readRefusal,
  type Refused,
} from "./outcome.ts";
import { type Caller, findKey, isAdmin, makeKeySender, selectTenant } from "./statements/guards.ts";
import { addChange, type Changed, readChange, WorkspaceFile, type WorkspaceChange } from "./workspace.ts";

/** Who has begun a program's conversation: by its first message, or by the first file that was put there. As SQL. */
export function selectOwner(conversationId: string): Sql {
  return sql`SELECT COALESCE((SELECT sender FROM messages WHERE conversation_id = ${conversationId} ORDER BY seq LIMIT 1),
    (SELECT sender FROM workspaces WHERE conversation_id = ${conversationId})) AS sender`;
}

/** The caller's key is good, and nobody else has begun the conversation. Its id holds the tenant, as the key claims it. */
const isTheirs = (caller: Caller, tenantId: string, conversationId: string): Sql =>
  sql`${tenantId} = ${selectTenant(caller)}
    AND (${isAdmin(caller)} OR COALESCE((${selectOwner(conversationId)}), ${makeKeySender(caller)}) = ${makeKeySender(caller)})`;

export interface Place {
  readonly caller: Caller;
  /** Whom the key claims to be of. */
  readonly tenantId: string;
  readonly conversationId: string;
}

/** By path; empty where there are none, or none of theirs. */
export async function listProgramFiles(
  db: D1Database,
  { caller, tenantId, conversationId }: Place,
): Promise<Found<WorkspaceFile[]> | Refused> {
  const results = await new Batch()
    .add("key", findKey(caller))
    .add(
      "files",
      sql`SELECT path, sha256, bytes, mime, message_id FROM workspace_files
        WHERE conversation_id = ${conversationId} AND ${isTheirs(caller, tenantId, conversationId)} ORDER BY path`,
    )
    .run(db);
  return readList(results, "files", WorkspaceFile);
}

/** Not found: the conversation is another key's. */
export async function changeProgramFiles(
  db: D1Database,
  { caller, tenantId, conversationId }: Place,
  changes: WorkspaceChange["changes"],
): Promise<Found<Changed> | NotFound | Refused> {
  const theirs = isTheirs(caller, tenantId, conversationId);
  const whose = sql`SELECT ${tenantId}, ${makeKeySender(caller)}`;
  const batch = new Batch()
    .add("key", findKey(caller))
    .add("theirs", sql`SELECT 1 AS theirs WHERE ${theirs}`);
  const taking = { whose, only: theirs, nonce: crypto.randomUUID() };
  const results = await addChange(batch, { conversationId, changes }, taking, caller.now).run(db);
  const refusal = readRefusal(results);
  if (refusal !== null) return refusal;
  return results.row("theirs", z.object({ theirs: z.int() })) === undefined
    ? NOT_FOUND
    : found(readChange(results));
}
