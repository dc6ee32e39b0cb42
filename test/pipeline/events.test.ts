/** A task's events, live: each once and in order, however often the stream is cut. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { API_KEY, type Pipeline, openPipeline, privateText } from "../support/pipeline.ts";

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await openPipeline({ timings: { events_poll_ms: 50, events_ping_ms: 100 } });
});
afterAll(() => pipeline.close());

interface Sent {
  id: string;
  event: string;
  data: { event: string; at: string };
}

/** Reads until the end, or until it is cut. Returns what was read whole. */
async function read(
  taskId: string,
  after: string | null,
  cutAfterMs: number,
): Promise<{ status: number; events: Sent[]; text: string }> {
  const cut = new AbortController();
  const headers = { authorization: `Bearer ${API_KEY}`, ...(after !== null && { "last-event-id": after }) };
  const response = await fetch(new URL(`/v1/tasks/${taskId}/events`, pipeline.url), {
    headers,
    signal: cut.signal,
  });
  void sleep(cutAfterMs, undefined, { ref: false }).then(() => cut.abort());
  let text = "";
  try {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
  } catch {
    // It was cut.
  }
  const whole = text
    .split("\n\n")
    .slice(0, -1)
    .filter((block) => block.includes("id: "));
  const events = whole.map((block) => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1] ?? "";
    return { id: field("id"), event: field("event"), data: JSON.parse(field("data")) };
  });
  return { status: response.status, events, text };
}

/** The receipt leaves out what was said piece by piece. */
const isStep = ({ event }: Sent) => event !== "text";

const SLOW = "/run await new Promise((r) => setTimeout(r, 700)); return 1";

async function receiptOf(taskId: string): Promise<string[]> {
  return (await pipeline.api("GET", `/tasks/${taskId}`)).body.receipt.map(({ event }) => event);
}

describe("GET /v1/tasks/:id/events", () => {
  it("sends every event as it happens, and ends when the task is over", async () => {
    const { body } = await pipeline.api<{ id: string; links: { events: string } }>("POST", "/tasks", {
      prompt: SLOW,
    });
    expect(body.links.events).toBe(`/v1/tasks/${body.id}/events`);
    const { events, text } = await read(body.id, null, 20_000);
    expect(events.filter(isStep).map(({ data }) => data.event)).toEqual(await receiptOf(body.id));
    expect(events.filter((event) => !isStep(event))).toMatchObject([
      { data: { data: { turn: 2, text: expect.stringContaining("1") } } },
    ]);
    expect(events.at(-1)).toMatchObject({ event: "ended" });
    expect(text).toContain(": still here");
  });

  it("loses and repeats nothing when it is cut again and again", async () => {
    const { body } = await pipeline.api("POST", "/tasks", { prompt: SLOW });
    const all: Sent[] = [];
    for (let status = 200; status !== 204;) {
      const some = await read(body.id, all.at(-1)?.id ?? null, 130);
      all.push(...some.events);
      status = some.status;
    }
    expect(all.filter(isStep).map(({ data }) => data.event)).toEqual(await receiptOf(body.id));
    expect(all.map(({ id }) => Number(id))).toEqual(
      [...new Set(all.map(({ id }) => Number(id)))].toSorted((a, b) => a - b),
    );
  });

  it("of a chat's task goes on until the answer is there", async () => {
    await pipeline.hook(privateText(5, SLOW));
    const [task] = await pipeline.sql<{ id: string }>("SELECT id FROM tasks ORDER BY seq DESC LIMIT 1");
    const { events } = await read(task?.id ?? "", null, 20_000);
    expect(events.slice(-2).map(({ event }) => event)).toEqual(["ended", "delivered"]);
  });

  it("refuses a task that is not there, and an id that is none", async () => {
    expect((await read("task_none", null, 1_000)).status).toBe(404);
    const { body } = await pipeline.api("POST", "/tasks", { prompt: "/run 1" });
    expect((await read(body.id, "yesterday", 1_000)).status).toBe(400);
    const anonymous = await fetch(new URL(`/v1/tasks/${body.id}/events`, pipeline.url));
    expect(anonymous.status).toBe(401);
  });
});
