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
  pipeline = await openPipeline({ vars: { TELEGRAM_ALLOWED_USERS: "900,-957" } });
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
const run = async (script: string, args: string[]) =>
  (await promisify(execFile)(process.execPath, [`scripts/${script}.ts`, "--state", state, ...args])).stdout;
const pair = (...args: string[]) => run("pair", args);
const people = (...args: string[]) => run("people", args);
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
    expect(await people("list")).toContain("member   telegram:902");
    await people("dismiss", "telegram:902");
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

describe("a member in a group that nobody has admitted", () => {
  it("hears once how it is let in, and by that code it is", async () => {
    const [group, member, other] = [-953, 907, 908];
    await pair(await codeOf(member));
    pipeline.telegram.reset();
    await hear(inGroup(group, other, "/run 'no'"), inGroup(group, member, "/run 'no'"));
    await hear(
      inGroup(group, member, "/run 'no'"),
      inGroup(group, member, "/admit"),
      inGroup(group, other, "/help"),
    );
    expect(texts(group)).toEqual([expect.stringContaining("sending /admit here")]);
    const [, code = ""] = /pair -- (\w{4}-\w{4})/.exec(texts(group)[0] ?? "") ?? [];
    expect(await pair(code)).toBe(`telegram:${group} may talk now, as member.\n`);
    await hear(inGroup(group, other, "/run 'yes'"));
    expect(texts(group).at(-1)).toBe("yes");
  });
});

describe("an admin", () => {
  const answering = (update: ReturnType<typeof inGroup>, to: number) => ({
    ...update,
    message: {
      ...update.message,
      reply_to_message: { message_id: 1, from: { id: to, is_bot: false, first_name: "Grace" } },
    },
  });

  it("makes others admins, in reply to them or by their id, and nobody else does", async () => {
    const [group, member, next] = [-954, 909, 910];
    await hear(inGroup(group, 900, "/admit"));
    await hear(answering(inGroup(group, member, "/promote"), member));
    expect(texts(group).at(-1)).toBe("Only an admin of mine may do that.");
    await hear(answering(inGroup(group, 900, "/promote"), member));
    expect(texts(group).at(-1)).toContain("Grace is an admin of mine now");
    await hear(inGroup(group, member, "/promote"));
    expect(texts(group).at(-1)).toContain("Answer a message of theirs");
    await hear(inGroup(group, member, "/promote grace"));
    expect(texts(group).at(-1)).toContain("Answer a message of theirs");
    await hear(inGroup(group, member, `/promote ${next}`));
    expect(texts(group).at(-1)).toContain("910 is an admin of mine now");
    await hear(inGroup(-955, next, "/admit"));
    expect(texts(-955)).toEqual(["Everybody in this group may talk to me now."]);
    expect((await audit()).slice(-2)).toEqual([
      { by: "telegram:909", what: "promoted to admin", whom: "telegram:910" },
      { by: "telegram:910", what: "admitted the group", whom: "telegram:-955" },
    ]);
  });

  it("who speaks in the name of a group has no rights of their own, whatever role the group has", async () => {
    const group = -956;
    await pair(await codeOf(911), "--admin");
    const { update_id, message } = inGroup(group, 1_087_968_824, "/promote 912");
    const anonymous = {
      ...message,
      from: { ...message.from, is_bot: true },
      sender_chat: { id: group, type: "group" },
    };
    await hear(inGroup(group, 911, "/admit"));
    await pipeline.sql("UPDATE people SET role = 'admin' WHERE external_id = ?", String(group));
    await hear({ update_id, message: anonymous });
    expect(texts(group).at(-1)).toBe("Only an admin of mine may do that.");
    // A group that the variable names is let in, and nobody in it is an admin by that.
    const chat = { id: -957, type: "group" };
    await hear({ update_id: ids++, message: { ...anonymous, chat, sender_chat: chat } });
    expect(texts(-957)).toEqual(["Only an admin of mine may do that."]);
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
