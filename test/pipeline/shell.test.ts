/** A shell and code over the files of a conversation: what they change stays, is told, is lost to nobody, and leads nowhere else. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type Block, calls, ModelServer, says } from "../../fakes/model-server.ts";
import { openConversation } from "../support/conversation.ts";
import { openPipeline, type Pipeline, privateText } from "../support/pipeline.ts";
import { until } from "../support/until.ts";

const WAIT_MS_MAX = 60_000;
const CSV = "month,sales\nMay,4\nJune,6\nJuly,2\n";
/** Of every Worker that holds one: none of it may be seen in a sandbox. */
const CANARY = "canary-5b1f9c";
const model = new ModelServer();
let pipeline: Pipeline;
let chat = 9_000;
beforeAll(async () => {
  pipeline = await openPipeline({
    timings: { shell_wall_ms: 5_000 },
    vars: {
      ANTHROPIC_BASE_URL: await model.listen(),
      ANTHROPIC_API_KEY: CANARY,
      ERRAND_LINK_SECRET: `${CANARY}-that-is-long-enough`,
    },
  });
});
afterAll(async () => {
  await pipeline.close();
  model.close();
});
beforeEach(() => {
  pipeline.telegram.reset();
  model.reset();
});

async function say(id: number, text: string): Promise<string> {
  await pipeline.hook(privateText(id, text));
  await pipeline.quiet();
  return pipeline.telegram.in(id).at(-1)?.text ?? "";
}

async function sendCsv(id: number, caption: string): Promise<void> {
  const { text: _, ...message } = privateText(id, "").message;
  pipeline.telegram.files.set(`csv${id}`, Buffer.from(CSV));
  const document = { file_id: `csv${id}`, file_name: "sales.csv", mime_type: "text/csv" };
  await pipeline.hook({ ...privateText(id, ""), message: { ...message, document, caption } });
  await pipeline.quiet();
}

const open = (name: string) => openConversation(pipeline, name);

const CHART =
  "const rows = workspace.read('by-sales.csv').trim().split('\\n').map((line) => line.split(','));" +
  'const bars = rows.map(([month, sales], index) => `<rect y="${index * 10}" width="${sales * 10}" height="8"/>`);' +
  "workspace.write('chart.svg', `<svg xmlns=\"http://www.w3.org/2000/svg\">${bars.join('')}</svg>`); return rows.length";

it("transforms, charts and sends back what somebody sent, without any model", async () => {
  const id = ++chat;
  model.answerTo = () => says("Kept.");
  await sendCsv(id, "Keep it");
  expect(await say(id, "/sh tail -n +2 inbox/sales.csv | sort -t, -k2 -n -r | tee by-sales.csv")).toContain(
    "June,6\nMay,4\nJuly,2",
  );
  expect(await say(id, `/run ${CHART}`)).toBe("3");
  await say(id, "/get chart.svg");
  const [sent] = pipeline.telegram.in(id).flatMap(({ file }) => file ?? []);
  expect(sent?.name).toBe("chart.svg");
  expect(sent?.bytes.toString()).toContain('<rect y="0" width="60" height="8"/>');
  expect(await say(id, "/sh")).toContain("Send the script behind the command");
  expect(await say(id, "/sh exit 3")).toContain("It ended with exit code 3.");
  expect(await say(id, "/sh true")).toContain("it printed nothing");
});

it("is what a model works with, three turns and a task later too", async () => {
  const id = ++chat;
  const script = [
    calls("shell", { script: "tail -n +2 inbox/sales.csv | sort -t, -k2 -n -r > by-sales.csv" }),
    calls("run_code", { code: CHART }),
    calls("send_file", { path: "chart.svg" }),
    says("Here is your chart."),
    calls("shell", { script: "ls; env; cat /proc/self/environ; grep -ril canary / 2>/dev/null" }),
    calls("run_code", { code: "return workspace.list().join() + JSON.stringify(globalThis.process?.env)" }),
    says("It is all there."),
  ];
  model.answerTo = () => script[model.requests.length - 1] ?? says("No more.");
  await sendCsv(id, "Chart it");
  const [sent] = pipeline.telegram.in(id).flatMap(({ file }) => file ?? []);
  expect(sent?.name).toBe("chart.svg");
  expect(await say(id, "What is there?")).toBe("It is all there.");
  const results = model.requests.flatMap(({ body }) =>
    (body.messages.at(-1)?.content ?? []).flatMap((block: Block) =>
      block.type === "tool_result" ? [JSON.stringify(block.content)] : [],
    ),
  );
  expect(results.slice(-2)).toEqual([
    expect.stringContaining("by-sales.csv\\nchart.svg\\ninbox"),
    expect.stringContaining("by-sales.csv,chart.svg,inbox/sales.csv"),
  ]);
  expect(results.join("\n")).not.toContain(CANARY);
});

it("tells programs its exit code and what it printed, the whole of it in a file", async () => {
  const { sh, call, paths } = open("codes");
  const shown = { task: { status: "succeeded" }, ok: true, output: "out\nerr", value: 0, error: null };
  expect(await sh("echo out; echo err >&2")).toMatchObject(shown);
  expect(await sh("echo out; exit 7")).toMatchObject({
    task: { status: "failed" },
    ok: false,
    output: "out",
    value: 7,
    error: "It ended with exit code 7.",
  });
  expect((await sh("git clone x")).error).toContain("an embedded one, without git");
  const long = await sh("echo first; for i in $(seq 1 900); do printf '%0100d' $i; done; echo last");
  expect(long.output).toMatch(/^first[\s\S]*characters left out[\s\S]*last/);
  expect(long.files).toHaveLength(1);
  const slow = await call("shell", { script: "echo x > half; sleep 60", timeout_s: 0.5001 });
  expect(slow.error).toBe("Timed out: it ran longer than 0.501 s. Nothing of what it changed is kept.");
  expect(await paths()).toEqual([]);
  const input = { script: "x", timeout_s: 1_801 };
  expect((await pipeline.api("POST", "/tasks", { tool: "shell", input })).status).toBe(400);
});

it("takes out what a script or code has left, deletions too, and keeps what it knows of the rest", async () => {
  const { sh, run, put, list, paths } = open("left");
  await put("keep.csv", CSV);
  await put("gone.txt", "x");
  await put("d/e.txt", "x");
  await sh("rm gone.txt; mv d/e.txt d/f.json; echo '{}' > new.json; printf '\\x00\\x01' > bytes");
  expect(await list()).toEqual([
    "bytes application/octet-stream",
    "d/f.json application/json",
    "keep.csv text/csv; charset=utf-8",
    "new.json application/json",
  ]);
  const code = "workspace.delete('bytes'); workspace.write('d/f.json/g', 1)";
  expect((await run(code)).error).toContain("d/f.json stands in the way");
  expect((await run("workspace.write('../out', 'x')")).error).toContain("a path is relative");
  // What was done before something went wrong is done.
  expect(await paths()).not.toContain("bytes");
  // A file in the place of a folder, and a folder in the place of a file, in one go.
  await sh("rm -r d keep.csv; echo x > d; mkdir keep.csv; echo y > keep.csv/z");
  expect(await paths()).toEqual(["d", "keep.csv/z", "new.json"]);
});

it("names the later of two that change a file, and does nothing of it", async () => {
  const { put, get, paths } = open("raced");
  await put("data.csv", "one");
  const { body } = await pipeline.api("POST", "/tasks", {
    tool: "shell",
    input: { script: "echo mine > data.csv; echo mine > other.csv; sleep 2" },
    conversation: "raced",
  });
  // Whenever its files were laid out, there is a change after that.
  let version = 0;
  const isOver = async () => {
    expect((await put("data.csv", `theirs, version ${++version}`)).ok).toBe(true);
    const { body: task } = await pipeline.api("GET", `/tasks/${body.id}`);
    return task.result !== null && task;
  };
  const made = await until(isOver, WAIT_MS_MAX, "the script to end");
  expect(made.result?.calls[0]?.error).toContain(
    "Nothing of what it changed is kept: somebody else has changed `data.csv` meanwhile",
  );
  expect(await get("data.csv")).toBe(`theirs, version ${version}`);
  expect(await paths()).toEqual(["data.csv"]);
});

it.each([
  ["a line break", "printf x > $'a\\nb'"],
  ["a backslash", "printf x > 'a\\b'"],
  ["letters in two parts", "printf x > $'e\\u0301'"],
  ["too many folders", `mkdir -p ${"a/".repeat(60)} && printf x > ${"a/".repeat(60)}b`],
])("keeps no file under %s, and names it", async (_name, script) => {
  const { sh, list } = open(`odd${++chat}`);
  expect((await sh(`${script}; printf x > ok`)).error).toMatch(
    /^Not kept: `.*` \(no path of a workspace\)\.$/s,
  );
  expect(await list()).toEqual(["ok text/plain; charset=utf-8"]);
});

it("is at hand for code, over the files as they are then", async () => {
  const { run, put, paths } = open("inner");
  await put("names.txt", "b\na\n");
  const code =
    "workspace.write('more.txt', 'c\\n'); const { output, exitCode } = await bash('cat names.txt more.txt | sort -r | tee all.txt; exit 3');" +
    "await Promise.all([bash('echo 1 >> log'), bash('echo 2 >> log')]); return [output, exitCode, workspace.read('log')]";
  expect(await run(code)).toMatchObject({ error: null, value: ["c\nb\na\n", 3, "1\n2\n"] });
  expect(await paths()).toEqual(["all.txt", "log", "more.txt", "names.txt"]);
  const escape =
    "await bash('true'); const tried = await Promise.allSettled([fetch('http://127.0.0.1/'), import('node:net').then(({ connect }) => new Promise((_, no) => connect(80, '127.0.0.1').on('error', no)))]);" +
    "return [tried.map(({ status }) => status), JSON.stringify(process.env)]";
  expect((await run(escape)).value).toEqual([["rejected", "rejected"], "{}"]);
  expect((await run("return (await bash('while :; do :; done')).exitCode")).value).toBe(126);
  // What is written meanwhile stays, and what nobody waits for is waited for.
  await run(
    "const p = bash('sleep 0.3; echo b > b'); await scheduler.wait(100); workspace.write('a', 'x'); await p",
  );
  await run("bash('echo x > f'); return 1");
  await run("const own = bash; await own('rm log')");
  expect(await paths()).toEqual(["a", "all.txt", "b", "f", "more.txt", "names.txt"]);
  expect((await run("work\\u0073pace.write('c', 'x')")).error).toContain("without naming `workspace`");
  const forge =
    "const add = FormData.prototype.append; FormData.prototype.append = function (name, value) { if (name === 'kind' || name === 'printed') for (const path of ['p', 'p/q']) { add.call(this, 'written', new Blob([path])); add.call(this, 'content', new Blob(['x'])); } return add.call(this, name, value); }; workspace.write('d', 'x')";
  expect((await run(forge)).error).toContain("stands in the way");
  expect((await open("inner").sh("ls")).ok).toBe(true);
  expect((await run("bash(1)")).error).toContain("bash(script) takes a string");
});

it("keeps nothing that is outside, and tells two spellings apart", async () => {
  const { sh, paths } = open("out");
  await sh(
    "echo x > ../out; echo x > /tmp/t; ln -s /etc/passwd l; mkdir empty; echo A > Name; echo a > name",
  );
  expect(await paths()).toEqual(["Name", "name"]);
  expect((await sh("cat /tmp/t ../out")).ok).toBe(false);
  expect((await open("another").sh("ls")).output).toBe("");
});

it("names a file that is too large, and keeps the others", async () => {
  const { sh, run, paths } = open("large");
  const written = await run("workspace.write('a', 'x'); workspace.write('b', 'x'.repeat(6e6))");
  expect(written.error).toContain("a file may have");
  const script =
    "echo ok > ok; x=$(printf '%01000000d' 1); for i in 1 2 3 4 5 6; do printf $x >> large; done";
  expect((await sh(script)).error).toBe("Not kept: `large` (a file may have 5 MiB).");
  expect(await paths()).toEqual(["a", "ok"]);
});

it("does what the documentation shows", async () => {
  const { sh, put } = open("shown");
  const text = await readFile("docs/tools.md", "utf8");
  const examples = [...text.matchAll(/\| `\/sh (.*?)` +\|$/gm)].map(([, script = ""]) =>
    script.replaceAll("\\|", "|"),
  );
  await put("inbox/sales.csv", `${CSV}May,1\n`);
  await put("inbox/server.log", "2026-01-01 10:00 ok\n2026-01-01 10:01 ERROR a\n2026-01-01 11:00 ERROR b\n");
  await put("inbox/people.json", '{"people": [{"name": "Ada"}, {"name": "Grace"}]}');
  await put("inbox/old.txt", "one\ntwo\n");
  await put("inbox/new.txt", "one\nthree\n");
  const outputs: string[] = [];
  for (const script of examples) {
    const made = await sh(script);
    expect(made, script).toMatchObject({ ok: true });
    outputs.push(made.output ?? "");
  }
  expect(outputs).toEqual([
    expect.stringMatching(/5 \.\/inbox\/sales\.csv/),
    expect.stringMatching(/^June,6\nMay,4\nJuly,2\nMay,1\nmonth,sales$/),
    "13",
    "May",
    expect.stringContaining("2:2026-01-01 10:01 ERROR a"),
    expect.stringMatching(/1 2026-01-01 10\n +1 2026-01-01 11/),
    "Ada\nGrace",
    expect.stringMatching(/^month \| sales\n--- \| ---\nMay \| 4/),
    expect.stringContaining("-two\n+three"),
    "July\nJune\nMay",
  ]);
});
