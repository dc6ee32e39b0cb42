/** The planner with a model that costs no time, or exactly as much as it is told: `calls 5` makes five turns with a call each. */
import Planner from "../workers/planner/index.ts";
import { models } from "../workers/planner/models/index.ts";
import { turnId } from "../shared/store/turns.ts";

models.anthropic = () => ({
  provider: "scripted",
  async next(request) {
    const { taskId, n, transcript } = request;
    const mine = transcript.messages.find((message) => message.turnId === turnId(taskId, 1));
    const words = mine?.content.type === "text" ? mine.content.text : "";
    const [, calls = "", thinkMs = ""] = /^calls (\d+)(?: thinking (\d+) ms)?$/.exec(words) ?? [];
    if (thinkMs !== "") await new Promise((resolve) => setTimeout(resolve, Number(thinkMs)));
    const done = n > Number(calls);
    return {
      text: done ? "done" : "",
      calls: done ? [] : [{ tool: "run_code", input: { code: "6 * 7" } }],
      model: "scripted",
      usage: { tokensIn: 0, tokensOut: 0, costUsd: 0 },
    };
  },
});

export default Planner;
