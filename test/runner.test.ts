/** The runner of one machine and its watchdog: whatever a piece of code does, it costs nobody but itself. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { bundleAll } from "../scripts/installation/bundle.ts";
import { LocalRunner } from "../scripts/local/runner.ts";
import { readWorkerConfig } from "../scripts/installation/worker-config.ts";
import { makeWorkerOptions } from "../scripts/local/worker-options.ts";
import { decodeCodeForm } from "../shared/code-form.ts";
import type { CodeResult, CodeRequest } from "../shared/contracts/code.ts";
import { LIMITS } from "../shared/limits.ts";
import { until } from "./support/until.ts";

const WALL_MS = 500;
const QUEUE_MS = 60_000;

let runner: LocalRunner;
let url: string;
let arrived = 0;
const server = createServer((request, response) => {
  arrived++;
  runner.serve(request, response).catch(() => response.destroy());
});
const logged = vi.spyOn(console, "warn").mockImplementation(() => undefined);

beforeAll(async () => {
  const config = await readWorkerConfig("runner");
  const [script = ""] = await bundleAll([config.main]);
  runner = new LocalRunner({ ...makeWorkerOptions(config, {}, script), script }, () => undefined);
  await runner.ready();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/run`;
});
afterAll(async () => {
  await runner.stop();
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  logged.mockClear();
  arrived = 0;
});
const hasArrived = (count: number) => until(() => arrived >= count, 30_000, `${count} requests`);

async function run(
  code: string,
  { signal, ...times }: Partial<CodeRequest> & { signal?: AbortSignal } = {},
): Promise<CodeResult | null> {
  const body = JSON.stringify({ code, wallMs: WALL_MS, startWithinMs: QUEUE_MS, ...times });
  const response = await fetch(url, { method: "POST", body, ...(signal && { signal }) });
  return decodeCodeForm(await response.formData());
}

const returns = (shown: string | null) => {
  const value = shown === null ? null : expect.objectContaining({ shown });
  return expect.objectContaining({ kind: "done", value, error: null });
};
const fails = (words: string) =>
  expect.objectContaining({ kind: "done", error: expect.stringContaining(words) });
const restarts = () =>
  logged.mock.calls.filter(([line]) => String(line).includes('"effect":"restarted"')).length;

const LATER = "const { waitUntil } = await import('cloudflare:workers');";
const SELF = "const { exports } = await import('cloudflare:workers');";

describe("code that lets go", () => {
  it.each([
    ["an expression", "6 * 7", returns("42")],
    ["statements", "const six = 6; return six * 7", returns("42")],
    ["TypeScript", "const six: number = 6; return six * 7 as unknown", returns("42")],
    ["a syntax error", "let six = ;", { kind: "syntax_error", message: expect.stringContaining("';'") }],
    ["what it throws", "throw new TypeError('no')", fails("TypeError: no")],
    ["texts as they are", String.raw`'a\r\n"b"\u0000' + 'ü'`, returns('a\r\n"b"\u0000ü')],
    ["waiting", `await scheduler.wait(${WALL_MS * 3}); return 1`, { kind: "timed_out" }],
    ["waiting for ever", "await new Promise(() => {})", fails("never happens")],
    ["calling itself", `${SELF} return (await exports.default.fetch('http://me/')).status`, returns("403")],
    ["calling itself unheard", `${SELF} void exports.default.fetch('http://me/'); return 1`, returns("1")],
    ["a timer left behind", "setInterval(() => { for (;;); }, 1); return 1", returns("1")],
    ["a response of its own", "globalThis.Response = class {}; return 1", returns("1")],
    [
      "another handler",
      "const { default: me } = await import('./harness.js'); me.fetch = () => 1; return 1",
      fails("read only"),
    ],
    [
      "ending its isolate",
      "(await import('cloudflare:workers')).abortIsolate('enough')",
      fails("never happens"),
    ],
  ])("is told as what it is, and the runner stays: %s", async (_, code, result) => {
    expect(await run(code)).toEqual(result);
    expect(restarts()).toBe(0);
  });
});

describe("code that does not let go", () => {
  it.each([
    ["an endless loop", "for (;;);", { kind: "timed_out" }],
    ["an endless loop after waiting", "await scheduler.wait(1); for (;;);", { kind: "timed_out" }],
    ["a loop of promises", "for (;;) await null", { kind: "timed_out" }],
    ["a slow expression", "/^(a+)+$/.test('a'.repeat(40) + 'b')", { kind: "timed_out" }],
    [
      "sockets that talk to each other",
      "const [a, b] = Object.values(new WebSocketPair()); for (const [one, other] of [[a, b], [b, a]]) { one.accept(); one.addEventListener('message', () => other.send('x')); } a.send('x'); return 1",
      { kind: "timed_out" },
    ],
    ["types that take a parser for ever", `${"<T>(".repeat(24)}x`, { kind: "timed_out" }],
    ["a loop where the module is loaded", "1); for (;;); (1", { kind: "timed_out" }],
    ["waiting after its answer", `${LATER} waitUntil(scheduler.wait(60_000)); return 1`, returns("1")],
    [
      "work after its answer",
      `${LATER} waitUntil((async () => { for (;;) await scheduler.wait(1); })()); return 1`,
      returns("1"),
    ],
    [
      "a loop after its answer",
      `${LATER} waitUntil(scheduler.wait(1).then(() => { for (;;); })); return 1`,
      { kind: "timed_out" },
    ],
    [
      "all memory",
      "const all = []; for (;;) all.push(new Array(1e6).fill(1.5))",
      expect.objectContaining({}),
    ],
  ])("costs the runner, and the next finds a fresh one: %s", async (_, code, result) => {
    expect(await run(code)).toEqual(result);
    expect(await run("6 * 7")).toEqual(returns("42"));
    expect(restarts()).toBe(1);
  });

  it("is ended when nobody waits for it any more, so that the next need not", async () => {
    const hangUp = new AbortController();
    const looping = run("for (;;);", { wallMs: QUEUE_MS, signal: hangUp.signal });
    await hasArrived(1);
    const next = run("6 * 7");
    await hasArrived(2);
    hangUp.abort();
    await expect(looping).rejects.toThrow("aborted");
    expect(await next).toEqual(returns("42"));
  });

  it("lets those behind it wait only for as long as they want to", async () => {
    const looping = run("for (;;);");
    await hasArrived(1);
    expect(await run("6 * 7", { startWithinMs: 100 })).toEqual({ kind: "not_started" });
    expect(await looping).toEqual({ kind: "timed_out" });
  });
});

describe("what code brings back is counted outside", () => {
  const blob = (bytes: number) => `new Blob([new Uint8Array(${bytes})])`;
  /** The isolate's own counting is replaced. */
  const forge = (entries: string) =>
    `const real = FormData; globalThis.FormData = function () {
       const form = new real();
       form.set = form.append = () => {};
       real.prototype.append.call(form, "kind", "done");
       real.prototype.append.call(form, "printed", new Blob([""]));
       ${entries}
       return form;
     }; return 1`;
  const add = (field: string, content: string, times = 1) =>
    `for (let i = 0; i < ${times}; i++) real.prototype.append.call(form, "${field}", ${content});`;

  it.each([
    ["as many files as are allowed", add("file", blob(10), LIMITS.files_per_call_max), returns(null)],
    ["more files", add("file", blob(10), LIMITS.files_per_call_max + 1), fails("more than it may")],
    ["as many bytes as are allowed", add("file", blob(LIMITS.file_bytes_max)), returns(null)],
    [
      "more bytes, in several files",
      add("file", blob(LIMITS.file_bytes_max / 2), 3),
      fails("more than it may"),
    ],
    ["a text beyond its bound", add("value", "new Blob(['x'.repeat(1_000_002)])"), fails("more than it may")],
    ["more of its workspace", add("content", blob(1_000_000), 18), fails("more than it may")],
    ["more of everything", add("other", blob(1_000_000), 45), fails("more than it may")],
    ["a hundred thousand fields", add("other", "''", 100_000), returns(null)],
    ["another kind", add("error", "new Blob(['mine'])"), fails("mine")],
  ])("%s", async (_, entries, result) => {
    expect(await run(forge(entries), { wallMs: 10_000 })).toEqual(result);
    expect(restarts()).toBe(0);
  });
});
