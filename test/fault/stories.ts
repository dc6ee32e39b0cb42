/**
 * What is told under faults: a tool, a channel or a command that is to be proven is a line here.
 * `expects` are the answers that the clean run must show, so that no story is proven without doing its work.
 */
import { expect } from "vitest";
import { type Pipeline, privateText } from "../support/pipeline.ts";
import { noEngine } from "../support/engine.ts";
import { accepted, pressUntilTaken, say, type Story, untilAnswered } from "./say.ts";
import { WAITING } from "./waiting.ts";
import { until } from "../support/until.ts";

/** What a program submits: under one key until it is taken. */
async function submit(pipeline: Pipeline, chat: number, body: unknown): Promise<void> {
  const headers = { "idempotency-key": `story-${chat}` };
  await accepted(
    JSON.stringify(body),
    async () => (await pipeline.api("POST", "/tasks", body, headers)).status === 202,
  );
}

/** Says it, and waits until triage has made a message of it. */
async function sayAndSettle(pipeline: Pipeline, chat: number, text: string): Promise<void> {
  await say(pipeline, chat, text);
  await until(
    async () => (await pipeline.sql("SELECT 1 FROM inbound WHERE state = 'new'")).length === 0,
    20_000,
    `"${text}" to be triaged`,
  );
}

/** Has a slow call begun, and returns its task's id. */
async function begin(pipeline: Pipeline, chat: number): Promise<string> {
  await say(pipeline, chat, "/run await new Promise((r) => setTimeout(r, 4_000)); return 'late'");
  const running = await until(
    async () => {
      const rows = await pipeline.sql<{ id: string }>(
        "SELECT t.id FROM events e JOIN tasks t ON t.id = e.task_id WHERE e.type = 'started' AND t.state = 'running'",
      );
      return rows[0] ?? false;
    },
    20_000,
    "the call to start",
  );
  return running.id;
}

/** Where this machine has none they are not told. */
const IN_CONTAINERS: readonly Story[] = [
  {
    name: "a script in a container",
    tell: (pipeline, chat) => say(pipeline, chat, "/sh echo once >> log; cat log"),
    expects: ["once"],
  },
];

export const STORIES: readonly Story[] = [
  ...WAITING,
  {
    name: "a question to a model",
    tell: (pipeline, chat) => say(pipeline, chat, "Hello"),
    expects: ["Hello, too."],
  },
  {
    name: "a model that calls a tool",
    tell: (pipeline, chat) => say(pipeline, chat, "Compute 6 * 7"),
    expects: ["It is 42."],
  },
  {
    name: "a tool call",
    tell: (pipeline, chat) => say(pipeline, chat, "/run 6 * 7"),
    expects: ["42"],
  },
  {
    name: "a task over the API",
    tell: (pipeline, chat) => submit(pipeline, chat, { tool: "run_code", input: { code: "6 * 7" } }),
    expects: [],
  },
  {
    name: "a command",
    tell: (pipeline, chat) => say(pipeline, chat, "/help"),
    expects: [expect.stringContaining("/run <code>")],
  },
  {
    name: "a message behind a running task",
    tell: (pipeline, chat) => say(pipeline, chat, "/run 'first'"),
    meanwhile: (pipeline, chat) => [
      {
        key: "executor run: step act 1.1 run_code",
        occurrence: 1,
        moment: "before",
        what: { meanwhile: () => sayAndSettle(pipeline, chat, "/run 'second'") },
      },
    ],
    expects: [expect.stringMatching(/first[^]*second/)],
  },
  {
    name: "a message too late for the last turn",
    tell: (pipeline, chat) => say(pipeline, chat, "/run 'first'"),
    meanwhile: (pipeline, chat) => [
      {
        key: "planner nextTurn 2: d1 INSERT events batch",
        occurrence: 1,
        moment: "before",
        what: { meanwhile: () => sayAndSettle(pipeline, chat, "/run 'second'") },
      },
    ],
    expects: ["first", "second"],
    // The turn that could not be stored is claimed again, and now the message is unread: it is read with it.
    orElse: [expect.stringMatching(/first[^]*second/)],
  },
  {
    name: "a stopped task",
    async tell(pipeline, chat) {
      await begin(pipeline, chat);
      await say(pipeline, chat, "/stop");
    },
    expects: ["⏹ Stopped."],
  },
  {
    name: "a task stopped by its button",
    async tell(pipeline, chat) {
      await pressUntilTaken(pipeline, chat, `stop:${await begin(pipeline, chat)}`);
    },
    expects: ["⏹ Stopped."],
  },
  {
    name: "a tool that fails",
    tell: (pipeline, chat) => say(pipeline, chat, "/run throw new Error('no')"),
    expects: [expect.stringMatching(/It failed[^]*Error: no/)],
  },
  {
    name: "a person who is forgotten",
    async tell(pipeline, chat) {
      await say(pipeline, chat, "/run 'first'");
      await until(
        async () => (await pipeline.sql("SELECT 1 FROM outbox")).length === 0,
        60_000,
        "it to be answered",
      );
      const forget = () => pipeline.api("POST", `/people/telegram:${chat}/forget`);
      // Not found: it was carried out, and the answer was lost.
      await accepted("to forget", async () => [200, 404].includes((await forget()).status));
      await say(pipeline, chat, "/run 'again'");
    },
    expects: ["first", "again"],
  },
  {
    name: "an answer in parts",
    tell: (pipeline, chat) => say(pipeline, chat, "/run 'x'.repeat(5_000)"),
    expects: [expect.stringMatching(/^x+$/), expect.stringMatching(/^x+$/)],
  },
  {
    name: "a photo",
    async tell(pipeline, chat) {
      pipeline.telegram.files.set("photo", Buffer.from("a picture"));
      const update = privateText(chat, "");
      const message = { ...update.message, text: undefined, photo: [{ file_id: "photo" }] };
      await accepted("a photo", async () => (await pipeline.hook({ ...update, message })).status === 200);
    },
    expects: ["I see it."],
  },
  {
    name: "a file that is kept, and sent",
    tell: async (pipeline, chat) => {
      await say(pipeline, chat, "Write it down");
      await untilAnswered(pipeline, chat);
      await say(pipeline, chat, "/get notes/a.txt");
    },
    expects: ["Written.", expect.stringContaining("a.txt"), "a.txt"],
  },
  {
    name: "a script that changes a file",
    tell: (pipeline, chat) => say(pipeline, chat, "Log it"),
    expects: ["It is 1."],
  },
  ...(noEngine === null ? IN_CONTAINERS : []),
  {
    name: "a file in the answer",
    tell: (pipeline, chat) => say(pipeline, chat, "/run save('a.txt', 'a'); return 'made'"),
    expects: [expect.stringContaining("made"), "a.txt"],
  },
];
