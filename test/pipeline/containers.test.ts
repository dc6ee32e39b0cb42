/** Scripts in containers, over all Workers: what takes long goes on, what is stopped ends, and what is lost is done again. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openConversation } from "../support/conversation.ts";
import { noEngine } from "../support/engine.ts";
import { openPipeline, type Pipeline, privateText, type TaskBody } from "../support/pipeline.ts";
import { openOutside } from "../support/outside.ts";
import { runs } from "../support/processes.ts";
import { until } from "../support/until.ts";

const WAIT_MS_MAX = 60_000;
/** Unless it is said otherwise. */
const CONTAINERS_MAX = 10;
const CANARY = "canary-3e7a10";
const TOKEN = `${CANARY}-token`;
const ERRAND_EGRESS = JSON.stringify([
  { host: "git.example", headers: { authorization: `Bearer ${TOKEN}` } },
]);

describe.skipIf(noEngine !== null)(`in containers${noEngine === null ? "" : `: ${noEngine}`}`, () => {
  let pipeline: Pipeline;
  let chat = 9_500;
  let outside: Awaited<ReturnType<typeof openOutside>>;
  beforeAll(async () => {
    outside = await openOutside(TOKEN);
    pipeline = await openPipeline({
      outbound: outside.outbound,
      hands: true,
      // A step follows a job for a moment only.
      timings: { job_follow_ms: 500, sandbox_retry_ms: 100 },
      vars: { ANTHROPIC_API_KEY: CANARY, ERRAND_LINK_SECRET: `${CANARY}-that-is-long-enough`, ERRAND_EGRESS },
    });
  });
  afterAll(async () => {
    await pipeline.close();
    await outside.close();
  });
  beforeEach(() => pipeline.telegram.reset());

  async function say(id: number, text: string): Promise<string> {
    await pipeline.hook(privateText(id, text));
    await pipeline.quiet();
    return pipeline.telegram.in(id).at(-1)?.text ?? "";
  }

  /** Begins a job that comes to sleep for so long, and resolves when it does. */
  async function begin(name: string, script: string, asleep: string): Promise<string> {
    const { body } = await pipeline.api("POST", "/tasks", {
      tool: "shell",
      input: { script },
      conversation: name,
    });
    await until(() => runs(asleep), WAIT_MS_MAX, `${name} to sleep`);
    return body.id;
  }

  it("clones through the gate, tests, and sends the report, with each request on the receipt", async () => {
    const { call, sh, run: code } = openConversation(pipeline, "gate");
    const cloned = await sh(
      "git clone -q http://git.example/repo.git /root/repo && python3 /root/repo/test.py | tee report.txt; env",
    );
    expect(cloned.output).toMatch(/^passed\n/);
    const fetched = cloned.task.receipt.filter(({ event }) => event.startsWith("fetched"));
    expect(fetched).toHaveLength(outside.heard.length);
    expect(fetched.map(({ data }) => data)).toContainEqual({
      host: "git.example",
      method: "GET",
      path: "/repo.git/HEAD",
      status: 200,
      bytes: expect.any(Number),
    });
    expect((await call("send_file", { path: "report.txt" })).files).toHaveLength(1);
    expect((await code("return workspace.read('report.txt')")).value).toBe("passed\n");
    const rows = await Promise.all(
      ["events", "calls", "tasks", "replies"].map((table) => pipeline.sql(`SELECT * FROM ${table}`)),
    );
    expect(JSON.stringify([rows, pipeline.logs])).not.toContain(CANARY);
  });

  it("clones, builds and tests, and what is kept is in the workspace three turns later", async () => {
    const { sh, put, get, paths } = openConversation(pipeline, "build");
    await put("add.py", "def add(a, b): return a + b\n");
    await put("test_add.py", "from add import add\nassert add(2, 3) == 5\nprint('passed')\n");
    const cloned = await sh(
      "mkdir /root/up && cp *.py /root/up && cd /root/up && git init -q && git add . && git -c user.name=x -c user.email=x@x commit -qm one && git clone -q /root/up /root/down && cd /root/down && git log --format=%s",
    );
    expect(cloned).toMatchObject({ ok: true, output: "one" });
    expect(await sh("cd /root/down && python3 test_add.py | tee /workspace/report.txt")).toMatchObject({
      output: "passed",
    });
    expect(await get("report.txt")).toBe("passed\n");
    expect(await paths()).toEqual(["add.py", "report.txt", "test_add.py"]);
    expect((await sh("cat report.txt")).output).toBe("passed");
  });

  it("goes on with what takes longer than a step, and answers once", async () => {
    const id = ++chat;
    expect(await say(id, "/sh for i in 1 2 3; do echo $i >> log; sleep 0.7; done; cat log")).toBe("1\n2\n3");
    expect(pipeline.telegram.in(id)).toHaveLength(1);
    const events = await pipeline.sql<{ type: string }>(
      "SELECT e.type FROM events e JOIN tasks t ON t.id = e.task_id JOIN conversations c ON c.id = t.conversation_id WHERE c.address LIKE ?",
      `%${id}%`,
    );
    const types = events.map(({ type }) => type);
    expect(types.filter((type) => type === "started")).toHaveLength(1);
    expect(types.filter((type) => type === "observed")).toHaveLength(1);
  });

  it("ends a job that is stopped, with what it has begun, and keeps nothing of it", async () => {
    const { paths } = openConversation(pipeline, "stopped");
    const [child, grandchild] = [`sleep ${52 + Math.random()}`, `sleep ${51 + Math.random()}`];
    const id = await begin("stopped", `echo x > half; (setsid ${grandchild} &); ${child}`, child);
    await pipeline.api("POST", `/tasks/${id}/cancel`);
    expect((await pipeline.ended(id)).status).toBe("cancelled");
    const isOver = async () => !(await runs(child)) && !(await runs(grandchild));
    await until(isOver, WAIT_MS_MAX, "the job to be ended");
    expect(await paths()).toEqual([]);
  });

  it("does again what was lost with its container", async () => {
    const { get } = openConversation(pipeline, "lost");
    const asleep = `sleep ${1 + Math.random()}`;
    const id = await begin("lost", `echo x >> log; ${asleep}`, asleep);
    await pipeline.engine?.killAll();
    expect(await pipeline.ended(id)).toMatchObject({ status: "succeeded" });
    expect(await get("log")).toBe("x\n");
  });

  it("names what somebody else has changed meanwhile, and keeps theirs", async () => {
    const { put, get } = openConversation(pipeline, "conflict");
    await put("a.txt", "mine");
    const asleep = `sleep ${1 + Math.random()}`;
    const id = await begin("conflict", `echo job >> a.txt; ${asleep}`, asleep);
    await put("a.txt", "theirs");
    const { result } = await pipeline.ended(id);
    expect(result?.calls[0]?.error).toMatch(/somebody else has changed `a.txt` meanwhile/);
    expect(await get("a.txt")).toBe("theirs");
  });

  it("runs where it is asked to, and tells of what is not there", async () => {
    const { call, sh } = openConversation(pipeline, "backends");
    const embedded = await call("shell", { script: "python3 -c 1", backend: "embedded" });
    expect(embedded.error).toContain("This shell is an embedded one");
    expect((await call("shell", { script: "nonesuch", backend: "container" })).error).toContain(
      "exit code 127. The container has no such program",
    );
    expect(await call("shell", { script: "sleep 60", timeout_s: 0.5 })).toMatchObject({
      error: "Timed out: it ran longer than 0.5 s. Nothing of what it changed is kept.",
    });
    expect((await sh("exit 3")).value).toBe(3);
  });

  it("runs no more at once than it may, and counts how long they work", async () => {
    const { body: waits } = await full();
    const isTold = () => pipeline.logs.join("\n").includes("10 containers run, and no more may");
    await until(() => Promise.resolve(isTold()), WAIT_MS_MAX, "it to wait");
    expect(await pipeline.api("GET", `/tasks/${waits.id}`)).toMatchObject({ body: { status: "running" } });
    // Those that nobody has used for long are no more.
    await pipeline.sql("UPDATE containers SET until = 1 WHERE conversation_id = 'other 1'");
    expect(await pipeline.ended(waits.id)).toMatchObject({ status: "succeeded" });
    const { body } = await pipeline.api<TaskBody & { usage: { container_s: number; container_usd: number } }>(
      "GET",
      `/tasks/${waits.id}`,
    );
    expect(body.usage.container_s).toBeGreaterThan(0);
    expect(body.usage.container_usd).toBeCloseTo(body.usage.container_s * 0.00001056, 5);
    const kept = await pipeline.sql<{ until: number }>(
      "SELECT until FROM containers WHERE conversation_id NOT LIKE 'other%' AND until > ?",
      Date.now() + 60_000,
    );
    expect(kept.length).toBeGreaterThan(0);
    await pipeline.sql("DELETE FROM containers");
  });

  /** A task that finds all containers taken. */
  async function full() {
    await pipeline.sql("DELETE FROM containers");
    for (let nth = 1; nth <= CONTAINERS_MAX; nth++)
      await pipeline.sql("INSERT INTO containers VALUES (?, ?)", `other ${nth}`, Date.now() + 3_600_000);
    const input = { script: "echo done" };
    return pipeline.api("POST", "/tasks", { tool: "shell", input, conversation: "full" });
  }

  it("meets no other conversation, and no secret", async () => {
    const [one, other] = ["one", "other"].map((name) => openConversation(pipeline, name));
    await one?.sh("echo mine > /root/mine; echo mine > mine");
    const script = "ls -A . /root /tmp; env; cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'; ls /work";
    const { output } = (await other?.sh(script)) ?? {};
    expect(output).not.toMatch(/mine|canary|TOKEN|SECRET|main/);
    expect(pipeline.logs.join("\n")).not.toContain(CANARY);
  });
});
