/** What a hand knows of its jobs. */
import { beforeEach, expect, it } from "vitest";
import { Ledger } from "../../../workers/hands/ledger.ts";

const JOB = { id: "task_1.1.1", before: new Map(), startedAt: 1, wallMs: 1_000 };
const ask = (method: string, status: number | null = 0) => ({ host: "a.example", method, path: "/", status });

let ledger: Ledger;
beforeEach(() => {
  const kept = new Map<string, unknown>();
  ledger = new Ledger({
    get: (key: string) => kept.get(key),
    put: (key: string, value: unknown) => void kept.set(key, value),
    delete: (key: string) => kept.delete(key),
  } as SyncKvStorage);
});

it("lets nothing out before a job, and nothing after it", () => {
  expect(ledger.note(ask("GET"))).toBeNull();
  ledger.begin(JOB);
  expect(ledger.note(ask("GET"))).toEqual({ jobId: JOB.id, nth: 0 });
  ledger.end("task_2.1.1");
  expect(ledger.note(ask("GET"))).not.toBeNull();
  ledger.end(JOB.id);
  expect(ledger.note(ask("GET"))).toBeNull();
  expect(ledger.listFetched(JOB.id)).toHaveLength(2);
});

it("tells what came of a request of the right job alone", () => {
  ledger.begin(JOB);
  const noted = ledger.note(ask("GET"));
  if (noted === null) throw new Error("it runs");
  ledger.settle(noted, { status: 200, bytes: 7 });
  expect(ledger.listFetched(JOB.id)).toMatchObject([{ status: 200, bytes: 7 }]);
  ledger.begin({ ...JOB, id: "task_1.2.1" });
  ledger.note(ask("GET"));
  ledger.settle(noted, { status: 500, bytes: 9 });
  expect(ledger.listFetched("task_1.2.1")).toMatchObject([{ status: 0, bytes: 0 }]);
});

it.each([
  ["GET", 200, false],
  ["HEAD", 200, false],
  ["POST", null, false],
  ["POST", 0, true],
  ["DELETE", 200, true],
])("knows of a lost job that asked %s, and got %s, whether it has acted: %s", (method, status, acted) => {
  ledger.begin(JOB);
  ledger.note(ask(method, status));
  expect(ledger.lose("task_2.1.1")).toBe(false);
  expect(ledger.lose(JOB.id)).toBe(acted);
  // Whoever did not hear it asks again.
  expect(ledger.lose(JOB.id)).toBe(false);
  expect(ledger.hasActed(JOB.id)).toBe(acted);
  expect(ledger.listFetched(JOB.id)).toHaveLength(1);
});

it("remembers what was cancelled, by a job or by its task", () => {
  ledger.cancel("task_1");
  ledger.cancel("task_2.1.1");
  expect(
    ["task_1.1.1", "task_2.1.1", "task_2.1.2", "task_11.1.1"].map((id) => ledger.isCancelled(id)),
  ).toEqual([true, true, false, false]);
});
