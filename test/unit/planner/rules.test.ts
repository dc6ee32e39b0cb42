/** The rules protocol: what is asked for is done, what is not understood is said. */
import { describe, expect, it } from "vitest";
import type { MessageContent } from "../../../shared/contracts/message.ts";
import type { Transcript, TranscriptCall } from "../../../shared/store/turns.ts";
import { rules } from "../../../workers/planner/models/rules.ts";

const TASK = "task_1";
const text = (words: string): MessageContent => ({ type: "text", text: words });

function transcript(said: [turn: number, MessageContent][], calls: TranscriptCall[] = []): Transcript {
  const messages = said.map(([turn, content], index) => ({
    id: `msg_${index}`,
    content,
    turnId: `${TASK}/${turn}`,
  }));
  return { tenantId: "default", channel: "telegram", conversationId: "conv_1", messages, turns: [], calls };
}

const done = (n: number, k: number, code: string, output: string, ok = true): TranscriptCall => ({
  taskId: TASK,
  n,
  k,
  call: { tool: "run_code", input: { code } },
  observation: { ok, text: output },
});

const next = async (n: number, given: Transcript) => {
  const turn = await rules.next({
    taskId: TASK,
    n,
    transcript: given,
    signal: AbortSignal.timeout(1_000),
    heard: () => Promise.resolve(),
    files: new Map(),
  });
  if ("kind" in turn) throw new Error(turn.reason);
  return turn;
};

describe("a turn", () => {
  it("calls what its messages ask for, in their order, and nothing of earlier turns", async () => {
    const said = transcript([
      [1, text("/run 1")],
      [2, text("/run 2")],
      [2, { type: "call", call: { tool: "run_code", input: { code: "3" } } }],
    ]);
    expect((await next(2, said)).calls.map(({ input }) => input)).toEqual([{ code: "2" }, { code: "3" }]);
  });

  it("answers with the bare result when there was one message", async () => {
    expect(await next(2, transcript([[1, text("/run 6*7")]], [done(1, 1, "6*7", "42")]))).toMatchObject({
      calls: [],
      text: "```\n42\n```",
    });
  });

  it("answers each of several in its own words", async () => {
    const said = transcript(
      [
        [1, text("/run 1")],
        [1, text("why?")],
        [1, text("/run 2")],
      ],
      [done(1, 1, "1", "one"), done(1, 2, "2", "two", false)],
    );
    const answer = (await next(2, said)).text;
    const at = ["> /run 1", "one", "> why?", "no model", "> /run 2", "It failed", "two"].map((words) =>
      answer.indexOf(words),
    );
    expect(at).toEqual(at.toSorted((a, b) => a - b));
    expect(at[0]).toBeGreaterThanOrEqual(0);
  });

  it("takes code out of the block that it was pasted in", async () => {
    const said = transcript([[1, text("/run\n```js\n6 * 7\n```")]]);
    expect((await next(1, said)).calls).toEqual([{ tool: "run_code", input: { code: "6 * 7" } }]);
  });

  it("fences output that has fences of its own", async () => {
    const answer = (await next(2, transcript([[1, text("/run x")]], [done(1, 1, "x", "```\nhi\n```")]))).text;
    expect(answer).toBe("````\n```\nhi\n```\n````");
  });
});
