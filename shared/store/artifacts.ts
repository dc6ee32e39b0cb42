/** One file that a task made, for whoever wants it. */
import sql from "sql-template-tag";
import { StoredFile } from "../contracts/file.ts";
import type { CallKey } from "../contracts/turn.ts";
import { Batch } from "./batch.ts";
import { found, NOT_FOUND, type Outcome, readOutcome } from "./outcome.ts";
import { type Caller, findKey, taskVisible } from "./statements/guards.ts";

/** The call that made it, and the how-manieth of its files it is, from 0. */
interface ArtifactKey extends CallKey {
  readonly position: number;
}

const isIt = ({ taskId, turn, call, position }: ArtifactKey) =>
  sql`a.task_id = ${taskId} AND a.turn = ${turn} AND a.call = ${call} AND a.position = ${position}`;

/** Of the tenant of a key. */
export async function findArtifact(
  db: D1Database,
  key: ArtifactKey,
  caller: Caller,
): Promise<Outcome<StoredFile>> {
  const results = await new Batch()
    .add("key", findKey(caller))
    .add(
      "artifact",
      sql`SELECT a.sha256, a.name, a.mime, a.bytes FROM artifacts a JOIN tasks t ON t.id = a.task_id
        WHERE ${isIt(key)} AND ${taskVisible(caller, "t")}`,
    )
    .run(db);
  return readOutcome(results, "artifact", StoredFile);
}

/** Of whichever tenant, for a signed link, which names the one thing that it opens. */
export async function findLinkedArtifact(db: D1Database, key: ArtifactKey): Promise<Outcome<StoredFile>> {
  const statement = sql`SELECT sha256, name, mime, bytes FROM artifacts a WHERE ${isIt(key)}`;
  const artifact = (await new Batch().add("artifact", statement).run(db)).row("artifact", StoredFile);
  return artifact === undefined ? NOT_FOUND : found(artifact);
}
