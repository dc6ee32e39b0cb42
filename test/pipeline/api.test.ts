/** The HTTP task API, as a program meets it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Pipeline, openPipeline } from "../support/pipeline.ts";

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await openPipeline();
});
afterAll(() => pipeline.close());

interface Accepted {
  id: string;
  status: string;
  links: Record<string, string>;
}
interface Problem {
  title: string;
  detail: string;
  errors?: { path: string; message: string }[];
  links?: Record<string, string>;
}

const submit = (body: unknown, headers?: Record<string, string>) =>
  pipeline.api<Accepted>("POST", "/tasks", body, headers);
const refused = (body: unknown, headers?: Record<string, string>) =>
  pipeline.api<Problem>("POST", "/tasks", body, headers);

describe("POST /v1/tasks", () => {
  it("accepts a prompt, finds it at once, and answers it with a receipt", async () => {
    const { status, body } = await submit({ prompt: "/run 6 * 7" });
    expect(status).toBe(202);
    expect(body).toEqual({
      id: expect.stringMatching(/^task_/),
      status: "queued",
      links: expect.objectContaining({ self: `/v1/tasks/${body.id}` }),
    });
    expect((await pipeline.api("GET", `/tasks/${body.id}`)).status).toBe(200);
    const task = await pipeline.ended(body.id);
    expect(task).toMatchObject({
      status: "succeeded",
      result: { text: "```\n42\n```" },
      usage: { turns: 2 },
      delivery: null,
    });
    expect(task.receipt.map(({ event }) => event)).toEqual([
      "accepted",
      "queued",
      "planned 1",
      "started 1.1",
      "observed 1.1",
      "planned 2",
      "ended",
    ]);
  });

  it("runs a tool by name, TypeScript too, and captures what it prints and returns", async () => {
    const code = "const x: number = 21; console.log('hi', { x }); return x * 2";
    const { body } = await submit({ tool: "run_code", input: { code } });
    const { result } = await pipeline.ended(body.id);
    expect(result?.calls).toEqual([
      { id: "1.1", tool: "run_code", ok: true, output: 'hi {"x":21}', value: 42, error: null, files: [] },
    ]);
  });

  it.each([
    ["throws", "throw new RangeError('boo')", "RangeError: boo"],
    ["does not parse", "const six = 6;\nconst seven = ;", "SyntaxError: Unexpected token ';' (line 2)"],
    ["is not whole", "if (true) {\n  (1 +", "SyntaxError: Unexpected end of the code (line 2)"],
    [
      "has other line ends",
      "const six = 6;\r\rlet = ;",
      "SyntaxError: Unexpected strict mode reserved word (line 3)",
    ],
    ["has wrong types", "let x: number = ;", "SyntaxError: Unexpected token (line 1)"],
    ["reaches for the network", "await fetch('http://example.com')", "not permitted to access the internet"],
    [
      "floods its way out",
      "const flood = () => new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(1 << 20)) });" +
        "globalThis.FormData = function () { return Object.assign(flood(), { set() {}, append() {} }) }",
      "more than it may",
    ],
    ["waits for ever", "await new Promise(() => {})", "never happens"],
  ])("fails with code that %s, and says why", async (_, code, words) => {
    const { body } = await submit({ tool: "run_code", input: { code } });
    const task = await pipeline.ended(body.id);
    expect(task.status).toBe("failed");
    expect(task.error).toEqual({ code: "tool_failed", message: expect.stringContaining(words) });
    expect(task.result?.calls[0]).toMatchObject({
      ok: false,
      output: "",
      error: expect.stringContaining(words),
    });
    expect(task.result?.text).toContain(words);
  });

  it.each([
    ["42", 42],
    ["'42'", "42"],
    ["''", ""],
    ["null", null],
    ["undefined", undefined],
    ["[1, { a: [true] }]", [1, { a: [true] }]],
    ["42n", "42n"],
    ["[NaN, -Infinity]", ["NaN", "-Infinity"]],
    ["new Map([[1, 2]])", "Map [[1,2]]"],
  ])("knows the type of what code returns: %s", async (code, value) => {
    const { body } = await submit({ tool: "run_code", input: { code } });
    const { result, status, error } = await pipeline.ended(body.id);
    expect([status, error]).toEqual(["succeeded", null]);
    expect(result?.calls[0]?.value).toEqual(value);
    expect("value" in (result?.calls[0] ?? {})).toBe(value !== undefined);
  });

  it("reads a task whose code has written what is no JSON", async () => {
    const code = "JSON.stringify = () => 'not json{'; return { a: 1 }";
    const { body } = await submit({ tool: "run_code", input: { code } });
    expect((await pipeline.ended(body.id)).result?.calls[0]).toMatchObject({ ok: true, value: { a: 1 } });
  });

  it("fails with a prompt and no model", async () => {
    const { body } = await submit({ prompt: "What is the weather?" });
    expect(await pipeline.ended(body.id)).toMatchObject({ status: "failed", error: { code: "no_model" } });
  });

  it.each([
    ["an escape", "\u001b"],
    ["half a character", "\ud83d"],
    ["a change of direction", "\u202e"],
    ["a NUL", "\0"],
  ])("carries out code with %s, which the name of a step cannot hold", async (_, character) => {
    const { body } = await submit({ tool: "run_code", input: { code: `'a${character}b'.at(-1)` } });
    expect((await pipeline.ended(body.id)).result?.calls[0]).toMatchObject({ ok: true, value: "b" });
  });

  it("caps what code brings back", async () => {
    const { body } = await submit({ tool: "run_code", input: { code: "'x'.repeat(900_000)" } });
    const { result } = await pipeline.ended(body.id);
    expect(result?.text.length).toBeLessThan(17_000);
    expect(result?.text).toContain("(the whole is attached)");
    expect(result?.calls[0]).toMatchObject({ ok: true, output: "", files: [expect.any(String)] });
    expect(result?.calls[0]?.value).toBeUndefined();
  });

  it("answers the same key and body the same, and another body with 422", async () => {
    const key = { "Idempotency-Key": "order-1" };
    const first = await submit({ prompt: "/run 1" }, key);
    await pipeline.ended(first.body.id);
    expect(await submit({ prompt: "/run 1" }, key)).toEqual(first);
    expect((await submit({ prompt: "/run 2" }, key)).status).toBe(422);
    const many = await Promise.all(
      Array.from({ length: 20 }, () => submit({ prompt: "/run 3" }, { "Idempotency-Key": "order-2" })),
    );
    expect(new Set(many.map(({ body }) => body.id)).size).toBe(1);
  });

  it("refuses a busy conversation with a link to its task, and takes it again afterwards", async () => {
    const slow = { prompt: "/run await new Promise((r) => setTimeout(r, 300))", conversation: "desk" };
    const first = await submit(slow);
    const busy = await refused({ prompt: "/run 1", conversation: "desk" });
    expect(busy).toMatchObject({ status: 409, body: { links: { self: `/v1/tasks/${first.body.id}` } } });
    await pipeline.ended(first.body.id);
    expect((await submit({ prompt: "/run 1", conversation: "desk" })).status).toBe(202);
  });

  it.each([
    ["an empty object", {}, ["prompt"]],
    ["a wrong type and an unknown field", { prompt: 1, promt: "x" }, ["prompt", "promt"]],
    ["an unknown tool", { tool: "rm", input: {} }, ["tool"]],
    ["a missing input", { tool: "run_code", input: {} }, ["input.code"]],
  ])("names the path of every fault of %s", async (_, body, paths) => {
    const answer = await refused(body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors?.map(({ path }) => path)).toEqual(paths);
  });

  it("lists the first ten faults, however many there are and whatever they are called", async () => {
    const names = Array.from({ length: 5_000 }, (_, i) => [`${i}${"x".repeat(i === 0 ? 9_000 : 9)}`, 1]);
    const { body } = await refused({ prompt: "x", ...Object.fromEntries(names) });
    expect(body.errors).toHaveLength(10);
    expect(body.detail).toContain("of 5000 faults");
    expect(JSON.stringify(body).length).toBeLessThan(3_000);
  });

  it.each([
    ["no JSON", "{"],
    ["too much", { prompt: "x".repeat(300_000) }],
    ["faults", { promt: "x" }],
  ])("explains a body of %s to nobody without a key", async (_, body) => {
    for (const authorization of ["", `Bearer errand_default_${"x".repeat(32)}`])
      expect(await refused(body, { authorization })).toMatchObject({ status: 401, body: { status: 401 } });
  });

  it("tells what is no JSON, what is too large and who has no key apart", async () => {
    expect((await refused("{")).status).toBe(400);
    expect((await refused({ prompt: "x".repeat(300_000) })).status).toBe(413);
    expect((await refused({ prompt: "x".repeat(40_000) })).status).toBe(400);
    expect((await refused({ prompt: "x" }, { authorization: "" })).status).toBe(401);
    expect(
      (await refused({ prompt: "x" }, { authorization: `Bearer errand_default_${"x".repeat(32)}` })).status,
    ).toBe(401);
    const forged = await refused(
      { prompt: "x" },
      { authorization: "Bearer errand_other_0123456789abcdefghijklmn" },
    );
    expect(forged.status).toBe(401);
  });
});

describe("tenants", () => {
  it("do not see, stop, steer or repeat each other's tasks", async () => {
    await pipeline.sql(
      "INSERT INTO tenants (id, name, created_at) VALUES ('other', 'Other', 1) ON CONFLICT DO NOTHING",
    );
    const { sha256Hex } = await import("../../shared/ids.ts");
    const key = "errand_other_zyxwvutsrqponmlkjihgfedc";
    await pipeline.sql(
      "INSERT INTO api_keys (hash, tenant_id, label, created_at) VALUES (?, 'other', 'test', 1) ON CONFLICT DO NOTHING",
      await sha256Hex(key),
    );
    const other = { authorization: `Bearer ${key}` };
    const mine = await submit({ prompt: "/run 1" }, { "Idempotency-Key": "shared" });
    const path = `/tasks/${mine.body.id}`;
    expect((await pipeline.api("GET", path, undefined, other)).status).toBe(404);
    expect((await pipeline.api("POST", `${path}/cancel`, undefined, other)).status).toBe(404);
    expect((await pipeline.api("POST", `${path}/messages`, { text: "x" }, other)).status).toBe(404);
    const theirs = await submit({ prompt: "/run 2" }, { "Idempotency-Key": "shared", ...other });
    expect(theirs.status).toBe(202);
    expect(theirs.body.id).not.toBe(mine.body.id);
    const listed = await pipeline.api<{ tasks: { id: string }[] }>("GET", "/tasks", undefined, other);
    expect(listed.body.tasks.map(({ id }) => id)).toEqual([theirs.body.id]);
  });
});

describe("GET /v1/tasks", () => {
  it("pages through the tasks, newest first, and filters by status", async () => {
    const { body: first } = await submit({ prompt: "/run 'oldest of these'" });
    // A key has so many under way at most.
    for (let from = 0; from < 60; from += 15) {
      await Promise.all(Array.from({ length: 15 }, (_, n) => submit({ prompt: `/run ${from + n}` })));
      await pipeline.quiet();
    }
    type Page = { tasks: { id: string; status: string }[]; next_cursor: string | null };
    const seen: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const query: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const { body }: { body: Page } = await pipeline.api<Page>("GET", `/tasks?status=succeeded${query}`);
      seen.push(...body.tasks.map(({ id }) => id));
      cursor = body.next_cursor;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.indexOf(first.id)).toBeGreaterThanOrEqual(60);
    expect((await pipeline.api<Page>("GET", "/tasks?status=timed_out")).body.tasks).toEqual([]);
    expect(
      (await pipeline.api<Problem>("GET", "/tasks?status=done&cursor=x")).body.errors?.map(
        ({ path }) => path,
      ),
    ).toEqual(["status", "cursor"]);
  });
});

describe("control", () => {
  const slow = { prompt: "/run await new Promise((r) => setTimeout(r, 400)); return 'slow'" };

  it("stops a task once, and leaves an ended one as it is", async () => {
    const { body } = await submit(slow);
    expect((await pipeline.api<Accepted>("POST", `/tasks/${body.id}/cancel`)).body.status).toBe("cancelled");
    const task = await pipeline.ended(body.id);
    expect(task).toMatchObject({ status: "cancelled", result: { text: "⏹ Stopped." } });
    await pipeline.quiet();
    expect((await pipeline.api<Accepted>("POST", `/tasks/${body.id}/cancel`)).body.status).toBe("cancelled");
    expect((await pipeline.ended(body.id)).receipt.filter(({ event }) => event === "ended")).toHaveLength(1);
  });

  it("steers a running task, whose answer then has both, and refuses to steer an ended one", async () => {
    const { body } = await submit(slow);
    const steer = await pipeline.api(
      "POST",
      `/tasks/${body.id}/messages`,
      { text: "/run 'steered'" },
      { "Idempotency-Key": "s1" },
    );
    const again = await pipeline.api(
      "POST",
      `/tasks/${body.id}/messages`,
      { text: "/run 'steered'" },
      { "Idempotency-Key": "s1" },
    );
    expect([steer.status, again.status]).toEqual([202, 202]);
    const { result } = await pipeline.ended(body.id);
    expect(result?.text.match(/```\nsteered\n```/g)).toHaveLength(1);
    expect(result?.text).toContain("slow");
    expect((await pipeline.api("POST", `/tasks/${body.id}/messages`, { text: "late" })).status).toBe(409);
    expect((await pipeline.api("POST", "/tasks/task_none/messages", { text: "late" })).status).toBe(404);
  });
});
