/** From what a model answered to a turn: its calls are checked against their tools, whatever the protocol. */
import * as z from "zod/mini";
import en from "zod/v4/locales/en.js";
import { refuseCall, ToolCall, TOOLS } from "../../../shared/contracts/tools/index.ts";
import type { TaskError } from "../../../shared/contracts/task.ts";
import type { Turn } from "../../../shared/contracts/turn.ts";
import { permanent, type Permanent } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { truncate } from "../../../shared/text.ts";
import type { Env } from "../env.ts";
import type { ModelAnswer, OfferedTool } from "../models/model.ts";

// The faults of a call are told to the model in words.
z.config(en());

const OFFERED: readonly OfferedTool[] = TOOLS.map(({ name, description, input }) => {
  const { $schema: _dialect, ...inputSchema } = z.toJSONSchema(input);
  return { name, description, inputSchema };
});
const OFFERED_WITH_CONTAINERS = OFFERED.map((offered, index) => ({
  ...offered,
  description: TOOLS[index]?.describedWithContainers ?? offered.description,
}));

/** The tools, as a model is told of them. */
export const offerTools = ({ ERRAND_HANDS }: Pick<Env, "ERRAND_HANDS">): readonly OfferedTool[] =>
  ERRAND_HANDS === "container" ? OFFERED_WITH_CONTAINERS : OFFERED;

export function checkAnswer(answer: ModelAnswer): { kind: "planned"; planned: Turn } | Permanent {
  const { text, model, usage } = answer;
  const planned = (words: string, calls: ToolCall[] = [], error: TaskError | null = null) => ({
    kind: "planned" as const,
    planned: { text: words, calls, model, usage, error },
  });
  switch (answer.stop) {
    case "refusal": {
      const words = text || "The model declined to answer this.";
      return planned(words, [], { code: "refused", message: truncate(words, LIMITS.error_chars_max) });
    }
    case "length":
      // A call that was cut off may lack half of its input.
      return planned(`${text === "" ? "" : `${text}\n\n`}… (the model reached the end of what it may write)`);
    case "end": {
      const calls = answer.calls.slice(0, LIMITS.calls_answered_max).map(checkCall);
      if (calls.length > 0) return planned(text, calls);
      return text.trim() === "" ? permanent("the model gave an empty answer") : planned(text);
    }
  }
}

type Asked = ModelAnswer["calls"][number];

/** How deep a value is nested, as far as it matters. */
function measureDepth(value: unknown): number {
  let level: readonly unknown[] = [value];
  let depth = 0;
  while (level.length > 0 && depth <= LIMITS.input_depth_max) {
    depth++;
    level = level.flatMap((one) => (typeof one === "object" && one !== null ? Object.values(one) : []));
  }
  return depth;
}

/** The call, or the reason why it is not made: whoever is told nothing believes that it was done. */
function checkCall({ name, input }: Asked, index: number): ToolCall {
  if (index >= LIMITS.calls_per_turn_max) {
    const reason = `one turn takes at most ${LIMITS.calls_per_turn_max} calls: make it again in the next`;
    return refuseCall(name, input, reason);
  }
  if (measureDepth(input) > LIMITS.input_depth_max)
    return refuseCall(name, {}, `its input is nested deeper than ${LIMITS.input_depth_max}`);
  const tool = TOOLS.find((one) => one.name === name);
  if (tool === undefined) return refuseCall(name, input, "there is no such tool");
  const call = ToolCall.safeParse({ tool: name, input });
  if (call.success) return call.data;
  const { error } = z.safeParse(tool.input, input);
  return refuseCall(name, input, z.prettifyError(error ?? call.error));
}
