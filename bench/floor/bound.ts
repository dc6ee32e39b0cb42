/** What the floor's Workers share: the same bindings as Errand's, and a job that says how many calls it makes. */

export interface Job {
  id: string;
  chat: number;
  /** Turns with one call each before the last turn. */
  calls: number;
}

export interface Bound {
  DB: D1Database;
  INBOUND: Queue<Job>;
  TASKS: Queue<Job>;
  REPLIES: Queue<Job>;
  TASK_WORKFLOW: Workflow<Job>;
  PLANNER: { nextTurn(id: string, n: number): Promise<void> };
  RUNNER: { runCode(): Promise<string> };
  PLATFORM_URL: string;
}

/** The one round trip of a hop: every job of the batch, in one statement. */
export async function mark(db: D1Database, ids: readonly string[], state: string): Promise<void> {
  await db
    .prepare("UPDATE jobs SET state = ?2 WHERE id IN (SELECT value FROM json_each(?1))")
    .bind(JSON.stringify(ids), state)
    .run();
}
