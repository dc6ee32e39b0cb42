/** Where stories are told: a pipeline whose every effect is under control, with claims so short that nobody waits for a crash to be noticed. */
import type { Timings } from "../../shared/limits.ts";
import type { Story } from "../fault/say.ts";
import { Control, type EffectFault, type Recorded } from "./control.ts";
import { type Pipeline, openPipeline } from "./pipeline.ts";
import { calls, type ModelAnswer, type ModelRequest, ModelServer, says } from "../../fakes/model-server.ts";
import type { ShownMessage } from "../../fakes/telegram-server.ts";
import { noEngine } from "./engine.ts";
import { newestState, withoutRequests } from "./state.ts";
import { until } from "./until.ts";

const TIMINGS: Partial<Timings> = {
  doorbell_grace_ms: 200,
  reconcile_claim_ms: 600,
  turn_claim_ms: 600,
  step_ms: 1_000,
  step_retry_ms: 50,
  sandbox_retry_ms: 50,
  platform_call_ms: 500,
  lease_ms: 600,
  backoff_ms_max: 800,
  // Beyond the end of every story: a placeholder comes by the clock, and would make two runs differ.
  placeholder_after_ms: 1_200_000,
  // So does whoever looks whether a call was stopped.
  stop_look_ms: 1_200_000,
  sign_after_ms: 0,
  // Every piece of what a model says is an effect then.
  text_flush_ms: 0,
  ping_after_ms: 2_400_000,
};
const RING_EVERY_MS = 50;
/** No effect for so long: whoever was about to do something has done it. */
const STILL_MS = 80;
/** For the day when it never ends. */
const QUIET_MS_MAX = 120_000;
const ENDED_MS_MAX = 60_000;

export interface Told {
  /** Everything stored of the conversation, without ids and times. */
  state: unknown;
  /** What the person reads, previews and placeholders apart. */
  answers: string[];
  strays: string[];
  /** What is left behind that must not be: doorbells, leases, instances. */
  left: string[];
  effects: Recorded[];
  met: EffectFault[];
}

export type StoryRunner = Awaited<ReturnType<typeof openStoryRunner>>;

export async function openStoryRunner(timings: Partial<Timings> = {}) {
  const control = new Control();
  const model = new ModelServer();
  model.answerTo = answerOf;
  const pipeline = await openPipeline({
    control,
    hands: noEngine === null,
    vars: { ANTHROPIC_BASE_URL: await model.listen() },
    timings: { ...TIMINGS, ...timings },
  });
  // That the key is used is noted now, and no part of any story.
  await pipeline.api("GET", "/tasks");
  let nextChat = 1_000;
  return {
    pipeline,
    control,
    model,
    /** Tells the story to its end in a chat of its own, while the faults befall it. When nothing goes wrong it needs no clock. */
    async tell(story: Story, faults: readonly EffectFault[] = [], withClock = true): Promise<Told> {
      const chat = nextChat++;
      pipeline.telegram.reset();
      control.begin([...(story.meanwhile?.(pipeline, chat) ?? []), ...faults]);
      const clock = withClock ? startClock(pipeline, control) : null;
      try {
        await story.tell(pipeline, chat, control);
        await quiet(pipeline, control);
      } finally {
        await clock?.stop();
      }
      const { state, tasks } = await newestState(pipeline);
      const left = [...(await leftovers(pipeline)), ...(await alive(pipeline, tasks))];
      const isStray = ({ id, text }: ShownMessage) =>
        isPreview(text) || isDoubled(pipeline.telegram.in(chat), id);
      const shown = pipeline.telegram.in(chat);
      return {
        state,
        answers: shown.filter((message) => !isStray(message)).map(({ text }) => withoutRequests(text)),
        strays: shown.filter(isStray).map(({ text }) => text),
        left,
        effects: [...control.effects],
        met: [...control.met],
      };
    },
    async close() {
      await pipeline.close();
      control.close();
      model.close();
    },
  };
}

/** A model of few words: it computes when it is asked to, and reads the result. */
function answerOf({ body }: ModelRequest): ModelAnswer {
  const last = body.messages.at(-1)?.content ?? [];
  const result = last.find(({ type }) => type === "tool_result");
  if (result?.content?.includes("notes/a.txt") === true) return says("Written.");
  if (result !== undefined) return says(`It is ${/^\d+/m.exec(result.content ?? "")?.[0]}.`);
  if (last.some(({ text = "" }) => text.startsWith("Ask"))) return calls("ask_user", { question: "Which?" });
  if (last.some(({ text = "" }) => text.startsWith("Write")))
    return calls("files", { op: "write", path: "notes/a.txt", text: "a" });
  if (last.some(({ text = "" }) => text.startsWith("Log")))
    return calls("shell", { script: "echo once >> log; wc -l < log", backend: "embedded" });
  if (last.some(({ type }) => type === "image")) return says("I see it.");
  const isToCompute = last.some(({ text = "" }) => text.startsWith("Compute"));
  return isToCompute ? calls("run_code", { code: "6 * 7" }) : says("Hello, too.");
}

/** First words of an answer, or a placeholder: never taken for an answer. */
function isPreview(text: string): boolean {
  return text.endsWith(" …") || text.startsWith("⏳");
}

/** A file has nothing to edit in it, so one that was sent before, unheard of, cannot be told from the answer's. */
function isDoubled(messages: readonly ShownMessage[], id: number): boolean {
  const file = messages.find((message) => message.id === id)?.file;
  return file !== undefined && messages.some((other) => other.id > id && other.file?.name === file.name);
}

/** Rings whenever nobody does anything: what is left to do then has been forgotten by its queue. */
function startClock(pipeline: Pipeline, control: Control) {
  let ringing: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    if (Date.now() - control.heardAt < STILL_MS) return;
    ringing = ringing.then(() => pipeline.ring()).catch(() => undefined);
  }, RING_EVERY_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      await ringing;
    },
  };
}

/** Waits until nothing is left to do and nobody does anything. */
async function quiet(pipeline: Pipeline, control: Control): Promise<void> {
  const rows = () => pipeline.sql<{ queue: string; key: string }>("SELECT queue, key FROM outbox LIMIT 1");
  await until(
    async () => (await rows()).length === 0 && Date.now() - control.heardAt > STILL_MS,
    QUIET_MS_MAX,
    "everything to be done",
  ).catch(async (error: unknown) => {
    const left = await pipeline.sql("SELECT queue, key, rings, parked_reason FROM outbox");
    throw new Error(`${String(error)}; left are ${JSON.stringify(left)}`, { cause: error });
  });
}

async function leftovers(pipeline: Pipeline): Promise<string[]> {
  const rows = await pipeline.sql<{ what: string }>(
    `SELECT 'doorbell ' || queue || ' ' || key AS what FROM outbox
     UNION ALL SELECT 'lease ' || id FROM replies WHERE lease_token IS NOT NULL OR lease_until > 0
     UNION ALL SELECT 'active task ' || id FROM tasks WHERE state IN ('queued', 'running', 'waiting')
     UNION ALL SELECT 'unread ' || id FROM messages WHERE task_id IS NULL`,
  );
  return rows.map(({ what }) => what);
}

const ALIVE: ReadonlySet<string> = new Set(["queued", "running", "paused", "waiting", "waitingForPause"]);

/** Instances that are still at work when their tasks have ended. */
async function alive(pipeline: Pipeline, tasks: readonly string[]): Promise<string[]> {
  const left: string[] = [];
  for (const id of tasks) {
    const last = { status: "" };
    await until(
      async () => {
        const response = await pipeline.runtime.fetch("errand-executor", `http://executor/${id}`);
        Object.assign(last, await response.json());
        return !ALIVE.has(last.status);
      },
      ENDED_MS_MAX,
      "the instance to end",
    ).catch(() => left.push(`instance ${id} is ${last.status}`));
  }
  return left;
}
