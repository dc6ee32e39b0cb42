/** The files of a conversation: sent, listed, read, changed and sent back, from one task to the next; nobody else's, and never outside. */
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type Block, calls, ModelServer, says } from "../../fakes/model-server.ts";
import type { FileList, MadeKey } from "../../shared/contracts/api.ts";
import { API_KEY, openPipeline, type Pipeline, privateText, type TaskBody } from "../support/pipeline.ts";
import { until } from "../support/until.ts";

const WAIT_MS_MAX = 60_000;
const CSV = "month,sales\nMay,4\nJune,6\n";
const model = new ModelServer();
let pipeline: Pipeline;
let chat = 8_000;
beforeAll(async () => {
  pipeline = await openPipeline({ vars: { ANTHROPIC_BASE_URL: await model.listen() } });
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

async function sendDocument(
  id: number,
  name: string,
  content: string | Buffer,
  caption = "Keep it",
): Promise<void> {
  const update = privateText(id, "");
  const fileId = `file${id}${name}`;
  pipeline.telegram.files.set(fileId, Buffer.from(content));
  const document = { file_id: fileId, file_name: name, mime_type: "text/csv" };
  const { text: _, ...message } = update.message;
  await pipeline.hook({ ...update, message: { ...message, document, caption } });
  await pipeline.quiet();
}

/** A task of one call, whose conversation a program names. */
async function call(input: object, conversation = "mine", tool = "files"): Promise<TaskBody> {
  const { body } = await pipeline.api("POST", "/tasks", { tool, input, conversation });
  return until(
    async () => {
      const read = await pipeline.api("GET", `/tasks/${body.id}`);
      return read.body.result === null ? false : read.body;
    },
    WAIT_MS_MAX,
    "the end",
  );
}

const outputOf = (task: TaskBody) => task.result?.calls[0]?.output ?? "";
const errorOf = (task: TaskBody) => task.result?.calls[0]?.error ?? "";

it("holds what people send, and gives it back, without any model", async () => {
  const id = ++chat;
  model.answerTo = () => says("Kept.");
  await sendDocument(id, "sales.csv", CSV);
  expect(await say(id, "/files")).toContain("inbox/sales.csv (25 bytes)");
  await say(id, "/get inbox/sales.csv");
  const sent = pipeline.telegram.in(id).flatMap(({ file }) => file ?? []);
  expect(sent.map(({ name, bytes }) => [name, bytes.toString()])).toEqual([["sales.csv", CSV]]);
  // Another of that name stands beside it, and the same is the same.
  await sendDocument(id, "sales.csv", "other");
  await sendDocument(id, "sales.csv", CSV);
  const listed = await say(id, "/files inbox");
  expect(listed.match(/inbox\/\S+( \(2\))?\S*/g)).toHaveLength(2);
  expect(listed).toContain("inbox/sales (2).csv (5 bytes)");
  expect(await say(id, "/get nothing.csv")).toContain("there is no file `nothing.csv`");
  expect(await say(id, "/get SALES.csv")).toContain("there is `inbox/sales.csv`");
});

it("is read, changed and sent by a model, and is there three turns and a task later", async () => {
  const id = ++chat;
  const script = [
    calls("files", { op: "list" }),
    calls("files", { op: "read", path: "inbox/sales.csv", from_line: 2 }),
    calls("files", { op: "write", path: "reports/june.md", text: "June: 6\n" }),
    calls("files", { op: "edit", path: "reports/june.md", find: "6", replace: "**6**" }),
    calls("send_file", { path: "reports/june.md" }),
    says("Here it is."),
    calls("files", { op: "read", path: "reports/june.md" }),
    says("It is still there."),
  ];
  model.answerTo = () => script[model.requests.length - 1] ?? says("No more.");
  await sendDocument(id, "sales.csv", CSV, "Report June");
  const results = () =>
    model.requests.flatMap(({ body }) => {
      const last = body.messages.at(-1)?.content ?? [];
      return last.filter(({ type }: Block) => type === "tool_result").map(({ content }) => content ?? "");
    });
  expect(results()).toEqual([
    expect.stringContaining("inbox/sales.csv"),
    expect.stringMatching(/May,4\nJune,6\n… \(lines 2–3 of 3\)/),
    expect.stringContaining("reports/june.md has 8 bytes now."),
    expect.stringContaining("reports/june.md has 12 bytes now."),
    expect.stringContaining("june.md"),
  ]);
  const [sent] = pipeline.telegram.in(id).flatMap(({ file }) => file ?? []);
  expect(sent?.bytes.toString()).toBe("June: **6**\n");
  expect(await say(id, "And now?")).toBe("It is still there.");
  expect(results().at(-1)).toContain("June: **6**");
});

it("shows a model pictures as pictures", async () => {
  const id = ++chat;
  model.answerTo = () =>
    model.requests.length === 2 ? calls("files", { op: "read", path: "inbox/photo.png" }) : says("Seen.");
  pipeline.telegram.files.set("png", Buffer.from("a picture"));
  const { text: _, ...message } = privateText(id, "").message;
  const document = { file_id: "png", file_name: "photo.png", mime_type: "image/png" };
  await pipeline.hook({ ...privateText(id, ""), message: { ...message, document, caption: "Look" } });
  await pipeline.quiet();
  await say(id, "Look again");
  const last: readonly unknown[] = model.requests.at(-1)?.body.messages.at(-1)?.content ?? [];
  expect(JSON.stringify(last)).toContain('"type":"image"');
});

it("does what it is told in the order of a turn's calls, each finding what the one before has left", async () => {
  const id = ++chat;
  const ops = [
    { op: "write", path: "a.txt", text: "one" },
    { op: "edit", path: "a.txt", find: "one", replace: "two" },
    { op: "move", path: "a.txt", to: "b/c.txt" },
    { op: "read", path: "b/c.txt" },
    { op: "delete", path: "b" },
    { op: "list" },
  ];
  const content = ops.map((input, index) => ({ type: "tool_use", id: `t${index}`, name: "files", input }));
  model.answerTo = () =>
    model.requests.length === 1 ? { content, stop_reason: "tool_use" } : says("All done.");
  expect(await say(id, "Do it")).toBe("All done.");
  const results = model.requests[1]?.body.messages.at(-1)?.content.map(({ content: text }) => text ?? "");
  expect(results).toEqual([
    expect.stringContaining("a.txt has 3 bytes now."),
    expect.stringContaining("a.txt has 3 bytes now."),
    expect.stringContaining("a.txt is b/c.txt now."),
    expect.stringContaining("two"),
    expect.stringContaining("b is deleted."),
    expect.stringContaining("The workspace is empty."),
  ]);
});

it.each([
  "../x",
  "/etc/passwd",
  "a/../../x",
  "a\\b",
  "a\u0000b",
  "..",
  "a/..",
  "e\u0301.txt",
  `${"a/".repeat(60)}b`,
])("has no path outside: %j", async (path) => {
  expect(errorOf(await call({ op: "write", path, text: "x" }))).toContain("is none of the workspace");
});

it("says what cannot be done, and does nothing of it", async () => {
  await call({ op: "write", path: "d/f.txt", text: "x x" }, "faults");
  const faultOf = async (input: object) => errorOf(await call(input, "faults"));
  expect(await faultOf({ op: "write", path: "d", text: "x" })).toContain("`d` is a folder");
  expect(await faultOf({ op: "write", path: "d/f.txt/g", text: "x" })).toContain(
    "`d/f.txt` is a file, not a folder",
  );
  expect(await faultOf({ op: "edit", path: "d/f.txt", find: "y", replace: "z" })).toContain(
    "does not stand in",
  );
  expect(await faultOf({ op: "edit", path: "d/f.txt", find: "x", replace: "z" })).toContain("2 times");
  expect(await faultOf({ op: "move", path: "d", to: "d/e" })).toContain("into itself");
  expect(await faultOf({ op: "delete", path: "e" })).toContain("nothing at `e`");
  expect(await faultOf({ op: "read", path: "D/F.TXT" })).toContain("there is `d/f.txt`");
  expect(
    (await pipeline.api("POST", "/tasks", { tool: "files", input: { op: "write", path: "x" } })).status,
  ).toBe(400);
  expect(outputOf(await call({ op: "list" }, "faults"))).toBe("d/f.txt (3 bytes)");
});

it("is no other conversation's, and ends with the person", async () => {
  const [one, other] = [++chat, ++chat];
  model.answerTo = () => says("Kept.");
  await sendDocument(one, "secret.csv", "mine");
  expect(await say(other, "/files")).toContain("The workspace is empty.");
  expect(await say(other, "/get inbox/secret.csv")).toContain("there is no file");
  expect((await pipeline.api("POST", `/people/telegram:${one}/forget`)).status).toBe(200);
  expect(await pipeline.sql("SELECT path FROM workspace_files WHERE path LIKE '%secret%'")).toEqual([]);
});

const filesUrl = (conversation: string) => `${pipeline.url}/v1/conversations/${conversation}/files`;
const put = (path: string, body: string, headers: Record<string, string> = {}, key = API_KEY) =>
  fetch(`${filesUrl(key === API_KEY ? "shared" : "owned")}/${path}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${key}`, "content-type": "text/csv", ...headers },
    body,
  });
const get = (path: string, key = API_KEY) =>
  fetch(`${filesUrl(key === API_KEY ? "shared" : "owned")}${path}`, {
    headers: { authorization: `Bearer ${key}` },
  });

it("is filled and read by programs, each version against the one that it replaces", async () => {
  expect((await put("inbox/data.csv", CSV)).status).toBe(201);
  expect(outputOf(await call({ op: "read", path: "inbox/data.csv" }, "shared"))).toBe(CSV);
  const read = await get("/inbox/data.csv");
  expect(await read.text()).toBe(CSV);
  const etag = read.headers.get("etag") ?? "";
  expect((await put("inbox/data.csv", "two", { "if-match": etag })).status).toBe(200);
  expect((await put("inbox/data.csv", "three", { "if-match": etag })).status).toBe(412);
  expect((await put("inbox/data.csv", "three", { "if-none-match": "*" })).status).toBe(412);
  expect((await put("inbox", "a file")).status).toBe(409);
  expect((await put("..%2Fx", "out")).status).toBe(400);
  expect((await put("large", "x".repeat(6 * 1024 * 1024))).status).toBe(413);
  const { body: list } = await pipeline.api<FileList>("GET", "/conversations/shared/files");
  expect(list.files).toMatchObject([{ path: "inbox/data.csv", bytes: 3, mime: "text/csv" }]);
  expect(await (await get("/inbox/data.csv")).text()).toBe("two");
  await pipeline.api("DELETE", "/conversations/shared/files/inbox/data.csv");
  expect((await get("/inbox/data.csv")).status).toBe(404);
});

it("is nobody else's key's, before its first task and after", async () => {
  const make = async (label: string) =>
    (await pipeline.api<MadeKey>("POST", "/keys", { label, scopes: ["tasks"] })).body.key;
  const [mine, theirs] = [await make("mine"), await make("theirs")];
  expect((await put("own.csv", CSV, {}, mine)).status).toBe(201);
  expect(await (await get("", theirs)).json()).toEqual({ files: [] });
  expect((await get("/own.csv", theirs)).status).toBe(404);
  expect((await put("own.csv", "stolen", {}, theirs)).status).toBe(404);
  const submit = (key: string) =>
    fetch(`${pipeline.url}/v1/tasks`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify({ tool: "files", input: { op: "list" }, conversation: "owned" }),
    });
  expect((await submit(theirs)).status).toBe(409);
  expect((await submit(mine)).status).toBe(202);
  await pipeline.quiet();
  expect(await (await get("/own.csv", mine)).text()).toBe(CSV);
});

it("can be emptied when it is full", async () => {
  await call({ op: "write", path: "here", text: "x" }, "full");
  await pipeline.sql(
    `INSERT INTO workspace_files (conversation_id, path, sha256, bytes, mime)
     SELECT w.conversation_id, 'f' || n.value, 'x', 1, 'x' FROM workspace_files w,
       (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 1100) SELECT value FROM n) n
     WHERE w.path = 'here'`,
  );
  expect(errorOf(await call({ op: "write", path: "more", text: "x" }, "full"))).toContain(
    "delete some first",
  );
  expect(outputOf(await call({ op: "delete", path: "f1" }, "full"))).toBe("f1 is deleted.");
  expect(outputOf(await call({ op: "write", path: "here", text: "y" }, "full"))).toContain(
    "here has 1 byte now.",
  );
});
