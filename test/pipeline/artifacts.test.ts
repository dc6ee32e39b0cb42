/** Files that tasks make: attached in chat, listed in the API, read whole, in ranges and by links that expire. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { API_KEY, type Pipeline, openPipeline, privateText, type TaskBody } from "../support/pipeline.ts";

interface Artifact {
  id: string;
  name: string;
  mime: string;
  bytes: number;
  links: { self: string; signed: string };
}
type Body = TaskBody & { result: { artifacts: Artifact[] } };

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await openPipeline({
    vars: { ERRAND_LINK_SECRET: "a-link-secret" },
    timings: { artifact_link_ms: 3_000, backoff_ms_max: 200 },
  });
});
afterAll(() => pipeline.close());
beforeEach(() => pipeline.telegram.reset());

async function ask(chat: number, text: string) {
  await pipeline.hook(privateText(chat, text));
  await pipeline.quiet();
  return pipeline.telegram.in(chat);
}

async function made(code: string): Promise<{ task: Body; files: Artifact[] }> {
  const { body } = await pipeline.api("POST", "/tasks", { tool: "run_code", input: { code } });
  await pipeline.ended(body.id);
  const { body: task } = await pipeline.api<Body>("GET", `/tasks/${body.id}`);
  return { task, files: task.result.artifacts };
}

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(new URL(path, pipeline.url), { headers });
const KEY = { authorization: `Bearer ${API_KEY}` };
/** A picture of one pixel. */
const PNG =
  "Uint8Array.from(atob('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='), (c) => c.charCodeAt(0))";

describe("in chat", () => {
  it("what code saves is attached after the answer, a picture as a picture", async () => {
    const shown = await ask(
      1,
      `/run save("data.csv", "a,b\\n1,2"); save("../../dot.png", ${PNG}); return "made"`,
    );
    const [answer, csv, png] = shown;
    expect(answer?.text).toContain("made");
    expect(answer?.text).toContain("data.csv (text/csv; charset=utf-8, 7 bytes)");
    expect(csv?.file).toMatchObject({
      method: "sendDocument",
      name: "data.csv",
      bytes: Buffer.from("a,b\n1,2"),
    });
    expect(png?.file).toMatchObject({ method: "sendPhoto", name: "dot.png" });
    expect(shown).toHaveLength(3);
  });

  it("bytes that code returns are a file, named by what they are", async () => {
    const shown = await ask(2, `/run ${PNG}`);
    expect(shown.map(({ file }) => file?.name)).toEqual([undefined, "result.png"]);
  });

  it("a long output is its beginning, and the whole as a file", async () => {
    const shown = await ask(3, "/run Array.from({ length: 30_000 }, (_, i) => i).join(' ')");
    const file = shown.at(-1)?.file;
    expect(file?.name).toBe("output-1.1.txt");
    expect(file?.bytes.toString()).toMatch(/^0 1 2 .* 29999$/);
    expect(shown[0]?.text).toMatch(/^0 1 2 /);
    expect(shown.at(-2)?.text).toContain("(the whole is attached)");
  });

  it("a file whose sending breaks off again and again is told of, and the next is sent", async () => {
    let cuts = 0;
    pipeline.telegram.faultOf = ({ method }) =>
      method === "sendDocument" && ++cuts <= 3 ? "cut before" : undefined;
    const shown = await ask(8, "/run save('cut.txt', 'a'); save('next.txt', 'b'); return 'made'");
    expect(shown.map(({ text, file }) => file?.name ?? text)).toEqual([
      expect.stringContaining("made"),
      expect.stringContaining("cut.txt (1 byte) could not be attached. Sending it broke off 3 times"),
      "next.txt",
    ]);
  });

  it("a picture that the platform refuses goes as a document, and what it refuses altogether is named", async () => {
    pipeline.telegram.faultOf = ({ method }) =>
      method === "sendPhoto"
        ? { status: 400, description: "Bad Request: PHOTO_INVALID_DIMENSIONS" }
        : undefined;
    expect((await ask(4, `/run save("dot.png", ${PNG})`)).at(-1)?.file?.method).toBe("sendDocument");
    pipeline.telegram.faultOf = ({ method }) =>
      /^send(Photo|Document)$/.test(method)
        ? { status: 400, description: "Bad Request: file is too big" }
        : undefined;
    expect((await ask(5, `/run save("dot.png", ${PNG})`)).at(-1)?.text).toContain(
      "dot.png (70 bytes) could not be attached",
    );
  });

  it("a file waits out the platform's limit, and is sent once", async () => {
    let refused = 0;
    pipeline.telegram.faultOf = ({ method }) =>
      method === "sendDocument" && refused++ === 0
        ? { status: 429, description: "Too Many Requests", parameters: { retry_after: 1 } }
        : undefined;
    const shown = await ask(6, `/run save("a.txt", "a")`);
    expect(shown.map(({ file }) => file?.name)).toEqual([undefined, "a.txt"]);
  });
});

describe("GET /v1/artifacts/:id", () => {
  it("gives the file to whoever has the tenant's key", async () => {
    const { files } = await made(`save("hello.txt", "hello, world")`);
    expect(files).toMatchObject([{ name: "hello.txt", mime: "text/plain; charset=utf-8", bytes: 12 }]);
    const self = files[0]?.links.self ?? "";
    const response = await get(self, KEY);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("hello, world");
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-disposition": "attachment; filename*=UTF-8''hello.txt",
      "x-content-type-options": "nosniff",
      "content-security-policy": "sandbox; default-src 'none'",
    });
    expect((await get(self)).status).toBe(401);
    const etag = response.headers.get("etag") ?? "";
    expect((await get(self, { ...KEY, "if-none-match": etag })).status).toBe(304);
    expect((await get(`${self.slice(0, -1)}x`, KEY)).status).toBe(404);
    await pipeline.sql(
      "INSERT INTO tenants (id, name, created_at) VALUES ('other', 'Other', 1) ON CONFLICT DO NOTHING",
    );
    await pipeline.sql("UPDATE tasks SET tenant_id = 'other' WHERE id = ?", `task_${self.slice(18, 44)}`);
    expect((await get(self, KEY)).status).toBe(404);
  });

  it.each([
    ["bytes=0-4", 206, "hello", "bytes 0-4/12"],
    ["bytes=7-", 206, "world", "bytes 7-11/12"],
    ["bytes=-5", 206, "world", "bytes 7-11/12"],
    ["bytes=7-99", 206, "world", "bytes 7-11/12"],
    ["bytes=12-", 416, null, "bytes */12"],
    ["bytes=5-2", 200, "hello, world", null],
    ["lines=1-2", 200, "hello, world", null],
  ])("gives %s as %i", async (range, status, text, contentRange) => {
    const { files } = await made(`save("hello.txt", "hello, world")`);
    const response = await get(files[0]?.links.self ?? "", { ...KEY, range });
    expect(response.status).toBe(status);
    expect(response.headers.get("content-range")).toBe(contentRange);
    expect(status === 416 ? null : await response.text()).toBe(text);
  });

  it("opens by a signed link, until it expires, and only what it was signed for", async () => {
    const { files } = await made(`save("one.txt", "1"); save("two.txt", "2")`);
    const [one, two] = files.map(({ links }) => links);
    expect(await (await get(one?.signed ?? "")).text()).toBe("1");
    const query = one?.signed.split("?")[1];
    expect((await get(`${two?.self}?${query}`)).status).toBe(403);
    expect((await get((one?.signed ?? "").replace(/expires=\d/, "expires=9"))).status).toBe(403);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const expired = await get(one?.signed ?? "");
    expect(expired.status).toBe(403);
    expect(await expired.text()).toContain("expired");
  });
});

describe("code that", () => {
  it("saves more than it may is told so", async () => {
    const { task, files } = await made("for (let i = 0; i < 11; i++) save(`${i}`, 'x')");
    expect(task.result.calls[0]).toMatchObject({
      ok: false,
      error: expect.stringContaining("more than 10 files"),
    });
    expect(files.map(({ name }) => name)).toEqual(Array.from({ length: 10 }, (_, i) => `${i}`));
    const { task: big } = await made("await save('big', new Uint8Array(6_000_000))");
    expect(big.result.calls[0]).toMatchObject({ ok: false, error: expect.stringContaining("bytes in all") });
    const { task: caught, files: kept } = await made(
      "try { await save('big', new Uint8Array(6_000_000)) } catch { save('small', 's'); return 'caught' }",
    );
    expect(caught.result.calls[0]).toMatchObject({ ok: true, value: "caught" });
    expect(kept.map(({ name }) => name)).toEqual(["small"]);
    const { task: eleven } = await made(
      "for (let i = 0; i < 10; i++) save(`${i}`, `${i}`); return new Uint8Array(3)",
    );
    expect(eleven.result.calls[0]).toMatchObject({
      ok: false,
      error: expect.stringContaining("more than 10 files"),
    });
  });

  it("saves the same content ten times has made ten files, each known by its call and place", async () => {
    const { task, files } = await made("for (let i = 0; i < 10; i++) save(`${i}.txt`, 'same')");
    expect(files.map(({ name }) => name)).toEqual(Array.from({ length: 10 }, (_, i) => `${i}.txt`));
    expect(task.result.calls[0]).toMatchObject({ output: "", files: files.map(({ id }) => id) });
    expect(files[7]?.id).toMatch(/^art_[0-9a-z]{26}_1\.1\.7$/);
    const last = await get(files[9]?.links.self ?? "", KEY);
    expect(last.headers.get("content-disposition")).toContain("9.txt");
    expect(await last.text()).toBe("same");
    expect(new Set(await pipeline.objects()).size).toBe((await pipeline.objects()).length);
    const shown = await ask(9, "/run for (let i = 0; i < 3; i++) save(`${i}.txt`, 'same'); return 'made'");
    expect(shown.map(({ file }) => file?.name)).toEqual([undefined, "0.txt", "1.txt", "2.txt"]);
  });
});
