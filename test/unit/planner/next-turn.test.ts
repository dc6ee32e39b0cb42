/** A turn that could not be stored is given back: whoever asks again need not wait for its claim to end, and the receipt says why. */
import { expect, it } from "vitest";
import type { Env } from "../../../workers/planner/env.ts";
import { nextTurn } from "../../../workers/planner/turn/next-turn.ts";
import { openDatabase, rows, startTask } from "../database.ts";

/** The database, whose batch of that number fails. */
function failingAt(db: D1Database, nth: number): D1Database {
  let batches = 0;
  return new Proxy(db, {
    get(target, name) {
      if (name === "prepare") return target.prepare.bind(target);
      return (statements: D1PreparedStatement[]) => {
        if (++batches === nth) throw new Error("a secret of the database's");
        return target.batch(statements);
      };
    },
  });
}

it("is asked for again at once, and tells nobody what was thrown", async () => {
  const db = await openDatabase();
  const taskId = await startTask(db, "n", Date.now());
  const queue = { sendBatch: () => Promise.resolve() };
  // Claimed by the first batch, stored by the second.
  const env = { DB: failingAt(db, 2), TASKS: queue, REPLIES: queue } as unknown as Env;
  const ask = () => nextTurn(env, () => Promise.resolve(null), { taskId, turn: 1 });
  const reason = "the turn could not be made, for something is broken on my side";
  expect(await ask()).toMatchObject({ kind: "transient", reason });
  expect(await rows(db, "SELECT text FROM replies WHERE id = ?", taskId)).toEqual([
    { text: `Waiting for the model: ${reason}. I ask it again.` },
  ]);
  expect(await ask()).toEqual({ kind: "inactive", state: "failed" });
});
