/** The planner with a model that costs no time, or exactly as much as it is told: `calls 5` makes five turns with a call each. */
import Planner from "../workers/planner/index.ts";
import type { ModelClient } from "../workers/planner/models/model.ts";

const scripted: ModelClient = {
  provider: "scripted",
  price: null,
  async complete({ messages }) {
    const parts = messages.flatMap((message) => [...message.parts]);
    const asked = parts.find(({ type }) => type === "text");
    const words = asked?.type === "text" ? asked.text : "";
    const [, calls = "", thinkMs = ""] = /^calls (\d+)(?: thinking (\d+) ms)?$/.exec(words) ?? [];
    if (thinkMs !== "") await new Promise((resolve) => setTimeout(resolve, Number(thinkMs)));
    const isDone = parts.filter(({ type }) => type === "result").length >= Number(calls);
    return {
      kind: "answer",
      text: isDone ? "done" : "",
      calls: isDone ? [] : [{ name: "run_code", input: { code: "6 * 7" } }],
      stop: "end",
      model: "scripted",
      usage: { tokensIn: 0, tokensOut: 0, costUsd: 0 },
    };
  },
};

export default class extends Planner {
  protected override readonly openModel = () => Promise.resolve(scripted);
}
