/** A model of one thought, on this machine: it computes, and reads the result. */
import { calls, type ModelAnswer, type ModelRequest, ModelServer, says } from "../../fakes/model-server.ts";
import type { Say } from "./say.ts";

export class Model {
  private readonly server = new ModelServer();

  constructor(say: Say) {
    this.server.answerTo = (request) => {
      say("model", `is asked, with ${request.body.messages.length} message(s)`);
      return answerTo(request);
    };
  }

  /** The settings by which the planner asks it. */
  async settings(): Promise<Record<string, string>> {
    return { ANTHROPIC_BASE_URL: await this.server.listen() };
  }

  close(): void {
    this.server.close();
  }
}

function answerTo({ body }: ModelRequest): ModelAnswer {
  const blocks = body.messages.flatMap(({ content }) => content);
  const result = blocks.findLast(({ type }) => type === "tool_result");
  if (result === undefined) return calls("run_code", { code: "366 * 24 * 60 * 60" });
  return says(`A leap year has **${/^\d+/m.exec(result.content ?? "")?.[0]}** seconds.`);
}
