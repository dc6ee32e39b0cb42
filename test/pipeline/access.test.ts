/** Who may talk: strangers are told a code once, whoever has the key admits them, and an admin admits a group. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { API_KEY, type Pipeline, openPipeline, privateText } from "../support/pipeline.ts";

let pipeline: Pipeline;
let state: string;
beforeAll(async () => {
  pipeline = await openPipeline({ vars: { TELEGRAM_ALLOWED_USERS: "900" } });
  state = await mkdtemp(join(tmpdir(), "errand-access-"));
  await writeFile(join(state, "local.json"), JSON.stringify({ url: pipeline.url, apiKey: API_KEY }));
});
afterAll(async () => {
  await pipeline.close();
  await rm(state, { recursive: true, force: true });
});
beforeEach(() => pipeline.telegram.reset());

const texts = (chat: number) => pipeline.telegram.in(chat).map(({ text }) => text);
async function hear(...updates: object[]): Promise<void> {
  for (const update of updates) expect((await pipeline.hook(update)).status).toBe(200);
  await pipeline.quiet();
}
/** A person at the installation's own machine. */
const pair = async (...args: string[]) =>
  (await promisify(execFile)(process.execPath, ["scripts/pair.ts", "--state", state, ...args])).stdout;
const audit = () =>
  pipeline.sql<{ by: string; what: string; whom: string }>("SELECT by, what, whom FROM audit ORDER BY seq");

async function codeOf(chat: number): Promise<string> {
  await hear(privateText(chat, "Hello?"));
  const [, code = ""] = /pair -- (\w{4}-\w{4})/.exec(texts(chat)[0] ?? "") ?? [];
  expect(code).not.toBe("");
  return code;
}

let ids = 5_000;
function inGroup(chat: number, from: number, text: string) {
  const id = ids++;
  return {
    update_id: id,
    message: {
      message_id: id,
      date: 1,
      from: { id: from, is_bot: false },
      chat: { id: chat, type: "group" },
      text,
    },
  };
}

describe("a stranger", () => {
  it("is told a code, once, and nothing of theirs is done", async () => {
    const update = privateText(901, "/run 'secret'");
    await hear(update, update, privateText(901, "/run 'again'"), privateText(901, "/stop"));
    expect(texts(901)).toEqual([expect.stringMatching(/npm run pair -- \w{4}-\w{4}`?;? then write again/)]);
    expect(await pipeline.sql("SELECT 1 FROM tasks")).toEqual([]);
  });

  it("is admitted by it, once, and is a stranger again when dismissed", async () => {
    const code = await codeOf(902);
    expect(await pair(code.toLowerCase())).toBe("telegram:902 may talk now, as member.\n");
    await expect(pair(code)).rejects.toThrow("No such code");
    await hear(privateText(902, "/run 'in'"));
    expect(texts(902).at(-1)).toBe("in");
    expect(await pair("--list")).toContain("member   telegram:902");
    await pair("--dismiss", "telegram:902");
    await hear(privateText(902, "/run 'out'"));
    expect(texts(902).at(-1)).toContain("npm run pair");
    expect((await audit()).filter(({ whom }) => whom === "telegram:902")).toEqual([
      { by: "errand", what: "told a code", whom: "telegram:902" },
      { by: "api", what: "admitted as member", whom: "telegram:902" },
      { by: "api", what: "dismissed", whom: "telegram:902" },
      { by: "errand", what: "told a code", whom: "telegram:902" },
    ]);
  });

  it("whom the variable names needs no code", async () => {
    await hear(privateText(900, "/run 'named'"));
    expect(texts(900)).toEqual(["named"]);
  });
});

describe("a group", () => {
  it("is silent until an admin admits it, and then everybody in it may talk", async () => {
    const [group, admin, other] = [-950, 903, 904];
    await pair(await codeOf(admin), "--admin");
    pipeline.telegram.reset();
    await hear(inGroup(group, other, "/admit"), inGroup(group, other, "/run 'no'"));
    expect(texts(group)).toEqual([]);
    await hear(inGroup(group, admin, "/run 'not yet'"));
    expect(texts(group)).toEqual([expect.stringContaining("/admit")]);
    await hear(inGroup(group, admin, "/admit"));
    await hear(inGroup(group, other, "/run 'welcome'"));
    expect(texts(group).slice(1)).toEqual(["Everybody in this group may talk to me now.", "welcome"]);
    expect((await audit()).at(-1)).toEqual({
      by: "telegram:903",
      what: "admitted the group",
      whom: "telegram:-950",
    });
  });
});

describe("an admitted group", () => {
  it("stays admitted when it becomes a supergroup, which has another id", async () => {
    const [group, supergroup, admin] = [-952, -100_952, 906];
    await hear(inGroup(group, 900, "/admit"));
    const moved = inGroup(group, admin, "");
    const service = {
      ...moved,
      message: { ...moved.message, text: undefined, migrate_to_chat_id: supergroup },
    };
    await hear(service, service);
    await hear(inGroup(supergroup, admin, "/run 'still here'"));
    expect(texts(supergroup)).toEqual(["still here"]);
    expect((await audit()).slice(-1)).toEqual([
      { by: "telegram", what: "followed the group to -100952", whom: "telegram:-952" },
    ]);
  });
});

describe("whom the variable names", () => {
  it("may admit a group, without having been admitted there", async () => {
    const group = -951;
    await hear(inGroup(group, 905, "/run 'no'"), inGroup(group, 900, "/admit"));
    await hear(inGroup(group, 905, "/run 'yes'"));
    expect(texts(group)).toEqual(["Everybody in this group may talk to me now.", "yes"]);
  });
});

describe("the API", () => {
  it("names its faults, and needs a key", async () => {
    expect((await pipeline.api("POST", "/people/admit", { code: "AAAA-AAAA" })).status).toBe(404);
    expect((await pipeline.api("POST", "/people/admit", { code: "AAAA-AAAA", role: "king" })).status).toBe(
      400,
    );
    expect((await pipeline.api("DELETE", "/people/telegram:1")).status).toBe(404);
    const headers = { authorization: "Bearer errand_default_nobody0nobody0nobody0nobody" };
    expect((await pipeline.api("GET", "/people", undefined, headers)).status).toBe(401);
    expect((await pipeline.api("POST", "/people/admit", { code: "A" }, headers)).status).toBe(401);
  });
});
