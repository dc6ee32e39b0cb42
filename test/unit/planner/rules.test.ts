/** The rules protocol: what is asked for is done, what is not understood is said. */
import { DEFAULT_POLICY } from "../../../shared/policy/policy.ts";
import { describe, expect, it } from "vitest";
import type { MessageContent } from "../../../shared/contracts/message.ts";
import type { Transcript, TranscriptCall } from "../../../shared/store/transcript.ts";
import { planByRules } from "../../../workers/planner/turn/rules.ts";

const TASK = "task_1";
/** Words as ingress has read them. */
function text(words: string): MessageContent {
  const [, args] = /^\/run\s([^]*)$/.exec(words) ?? [];
  return { type: "text", text: words, ...(args !== undefined && { command: { name: "run", args } }) };
}

function transcript(said: [turn: number, MessageContent][], calls: TranscriptCall[] = []): Transcript {
  const messages = said.map(([turn, content], index) => ({
    id: `msg_${index}`,
    content,
    readBy: { taskId: TASK, turn },
  }));
  return {
    tenantId: "default",
    channel: "telegram",
    conversationId: "conv_1",
    sender: "telegram:5",
    nonce: "0a1b",
    policy: DEFAULT_POLICY,
    messages,
    turns: [],
    calls,
  };
}

const done = (turn: number, call: number, code: string, output: string, ok = true): TranscriptCall => ({
  taskId: TASK,
  turn,
  call,
  made: { tool: "run_code", input: { code } },
  gate: null,
  said: null,
  observation: { ok, text: output, error: ok ? null : output, images: [] },
});

const next = (turn: number, given: Transcript) => planByRules({ taskId: TASK, turn }, given);

describe("a turn", () => {
  it("calls what its messages ask for, in their order, and nothing of earlier turns", () => {
    const said = transcript([
      [1, text("/run 1")],
      [2, text("/run 2")],
      [2, { type: "call", call: { tool: "run_code", input: { code: "3" } } }],
    ]);
    expect(next(2, said).calls.map(({ input }) => input)).toEqual([{ code: "2" }, { code: "3" }]);
  });

  it("answers with the bare result when there was one message", () => {
    expect(next(2, transcript([[1, text("/run 6*7")]], [done(1, 1, "6*7", "42")]))).toMatchObject({
      calls: [],
      text: "```\n42\n```",
    });
  });

  it("answers each of several in its own words", () => {
    const said = transcript(
      [
        [1, text("/run 1")],
        [1, text("why?")],
        [1, text("/run 2")],
      ],
      [done(1, 1, "1", "one"), done(1, 2, "2", "two", false)],
    );
    const answer = next(2, said).text;
    const at = ["> /run 1", "one", "> why?", "no model", "> /run 2", "It failed", "two"].map((words) =>
      answer.indexOf(words),
    );
    expect(at).toEqual(at.toSorted((a, b) => a - b));
    expect(at[0]).toBeGreaterThanOrEqual(0);
  });

  it("takes code out of the block that it was pasted in", () => {
    const said = transcript([[1, text("/run\n```js\n6 * 7\n```")]]);
    expect(next(1, said).calls).toEqual([{ tool: "run_code", input: { code: "6 * 7" } }]);
  });

  it("fences output that has fences of its own", () => {
    const answer = next(2, transcript([[1, text("/run x")]], [done(1, 1, "x", "```\nhi\n```")])).text;
    expect(answer).toBe("````\n```\nhi\n```\n````");
  });
});
