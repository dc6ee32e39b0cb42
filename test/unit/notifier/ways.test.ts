/** How a reply is shown where messages cannot be edited, and where the platform can tell what has become of a creation. */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TIMINGS } from "../../../shared/limits.ts";
import { Mutex } from "../../../shared/mutex.ts";
import { endTask } from "../../../shared/store/end-task.ts";
import { leaseReply } from "../../../shared/store/lease-reply.ts";
import type { AnyClient, Settled } from "../../../workers/notifier/channels/client.ts";
import type { Env } from "../../../workers/notifier/env.ts";
import { begin, show, showBeforeAnswer } from "../../../workers/notifier/show.ts";
import { openDatabase, rows, startTask } from "../database.ts";

const NOW = Date.now();

let db: D1Database;
let task = 0;
let id = "";
let created: unknown[];
let settled: Settled = { kind: "unknown" };
beforeAll(async () => {
  db = await openDatabase();
});
beforeEach(async () => {
  created = [];
  id = await startTask(db, `w${++task}`, NOW);
  await db.prepare("INSERT INTO outbox (queue, key, ring_at) VALUES ('replies', ?, 0)").bind(id).run();
});

/** A channel that only creates messages: each part is its text. */
const client: AnyClient = {
  render: (markdown) => [markdown],
  create: (part) => Promise.resolve({ kind: "ok", value: String(created.push(part)) }),
  settle: () => Promise.resolve(settled),
  editing: null,
  drafts: null,
  typing: null,
  buttons: null,
  files: null,
};

async function lookAt(token: string, now: number) {
  const lease = { replyId: id, token };
  const leased = await leaseReply(db, lease, now, TIMINGS);
  if (leased.kind !== "found") throw new Error("there is no such reply");
  const { reply } = leased;
  const env = { DB: db } as unknown as Env;
  return { env, timings: TIMINGS, lease, reply, client, creations: new Mutex() };
}

const end = () =>
  endTask(
    db,
    { taskId: id, state: "succeeded", endedBy: "x", error: null, answer: { text: "done" } },
    NOW,
    TIMINGS,
  );
const delivery = () =>
  rows(db, "SELECT state, external_id, doubts FROM deliveries WHERE reply_id = ? AND part = 0", id);

describe("a channel that cannot edit", () => {
  it("shows nothing before the answer, and then the answer, whole and once", async () => {
    const early = await lookAt("a", NOW + TIMINGS.placeholder_after_ms);
    expect(await begin(early)).toBeNull();
    expect(await showBeforeAnswer(early)).toBeGreaterThan(0);
    expect(created).toEqual([]);

    await end();
    const due = await lookAt("b", NOW + TIMINGS.placeholder_after_ms + 1);
    const first = await begin(due);
    if (first === null) throw new Error("nothing is due");
    expect(await show(due, first)).toBeNull();
    expect(created).toEqual(["done"]);
    expect(await delivery()).toEqual([{ state: "shown", external_id: "1", doubts: 0 }]);
    expect(await rows(db, "SELECT state FROM replies WHERE id = ?", id)).toEqual([{ state: "delivered" }]);
  });
});

describe("a channel with drafts", () => {
  it("shows what is said meanwhile as a draft, and then the answer, whole and once", async () => {
    const drafts: unknown[] = [];
    const drafting = (part: unknown) => {
      drafts.push(part);
      return Promise.resolve({ kind: "ok" as const, value: undefined });
    };
    const early = await lookAt("a", NOW + TIMINGS.placeholder_after_ms);
    const withDrafts = { ...early, client: { ...client, drafts: { show: drafting } } };
    expect(await begin(withDrafts)).toBeNull();
    expect(await showBeforeAnswer(withDrafts)).toBeGreaterThan(0);
    expect(drafts).toEqual([expect.stringMatching(/^⏳ \d+ s\n\nWorking$/)]);
    expect(created).toEqual([]);

    await end();
    const due = await lookAt("b", NOW + TIMINGS.placeholder_after_ms + 1);
    const first = await begin({ ...due, client: withDrafts.client });
    if (first === null) throw new Error("nothing is due");
    expect(await show({ ...due, client: withDrafts.client }, first)).toBeNull();
    expect(created).toEqual(["done"]);
  });
});

describe("a creation that nobody heard the outcome of", () => {
  it.each<[Settled, unknown[], string]>([
    [{ kind: "found", externalId: "known" }, [], "known"],
    [{ kind: "absent" }, ["done"], "1"],
    [{ kind: "unknown" }, ["done"], "1"],
  ])("is %o", async (what, made, externalId) => {
    settled = what;
    await end();
    await lookAt("died", NOW);
    const look = await lookAt("b", NOW + TIMINGS.lease_ms + 1);
    const first = await begin(look);
    if (first === null) throw new Error("nothing is due");
    expect(await show(look, first)).toBeNull();
    expect(created).toEqual(made);
    expect(await delivery()).toEqual([{ state: "shown", external_id: externalId, doubts: 1 }]);
  });
});
