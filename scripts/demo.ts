/**
 * `npm run demo`: the pipeline on free ports with a state of its own, a person in a chat, a model, and a program;
 * the chat app and the model are fakes on this machine. Shows what is said as it is said, and the receipt.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Task, TaskPage, TaskReference } from "../shared/contracts/api.ts";
import { describeError } from "../shared/errors.ts";
import { Model, Person } from "./demo/index.ts";
import type { Say } from "./demo/say.ts";
import { startErrand } from "./local/errand.ts";
import { freePort } from "./local/ports.ts";

const DEMO_MS_MAX = 60_000;

const started = Date.now();
const say: Say = (who, words) => {
  const seconds = ((Date.now() - started) / 1_000).toFixed(1).padStart(5);
  console.log(`${seconds} s  ${who.padEnd(8)} ${words.replaceAll("\n", "\n                   ")}`);
};

const person = new Person();
const model = new Model(say);
const state = await mkdtemp(join(tmpdir(), "errand-demo-"));

const stopped = new Promise<never>((_, reject) => {
  const stop = (words: string) => () => reject(new Error(words));
  setTimeout(stop(`The demo took longer than ${DEMO_MS_MAX / 1_000} s.`), DEMO_MS_MAX);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, stop("Stopped."));
});
let code = 0;
try {
  await Promise.race([demo(), stopped]);
} catch (error) {
  console.error(describeError(error));
  code = 1;
}
model.close();
await person.close();
await rm(state, { recursive: true, force: true, maxRetries: 5 });
// Whatever still runs ends with this process.
process.exit(code);

async function demo(): Promise<void> {
  const errand = await startErrand({
    port: await freePort(),
    state,
    settings: { ...(await person.settings()), ...(await model.settings()) },
    say: (words) => say("demo", words),
    // Its log would stand between what people say.
    onLine: () => undefined,
  });
  try {
    await person.ask(errand.url, "How many seconds does a leap year have?", say);
    await program(errand.url, errand.key.apiKey);
    say("demo", "That was all. `npm start` runs it for you.");
  } finally {
    await errand.stop();
  }
}

/** A program submits a task and follows its events. */
async function program(url: string, apiKey: string): Promise<void> {
  const headers = { authorization: `Bearer ${apiKey}` };
  const get = async (path: string) => (await fetch(`${url}${path}`, { headers })).json();
  const [asked] = TaskPage.parse(await get("/v1/tasks")).tasks;
  const body = JSON.stringify({ prompt: "/run 'hello from a sandbox'" });
  say("program", `POST /v1/tasks ${body}`);
  const accepted = await fetch(`${url}/v1/tasks`, { method: "POST", headers, body });
  const { links } = TaskReference.parse(await accepted.json());
  const { body: events } = await fetch(`${url}${links.events}`, { headers });
  const decoder = new TextDecoder();
  for await (const chunk of events ?? []) {
    for (const [, name = ""] of decoder.decode(chunk).matchAll(/^event: (.*)$/gm))
      say("errand", `event: ${name}`);
  }
  say("errand", Task.parse(await get(links.self)).result?.text ?? "");
  if (asked === undefined) return;
  say("program", `GET ${asked.links.self}, the receipt of Ada's task`);
  for (const { at, event } of Task.parse(await get(asked.links.self)).receipt)
    say("errand", `${at}  ${event}`);
}
