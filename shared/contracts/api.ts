/** What the HTTP API takes. Unknown fields are faults: a misspelt one would otherwise be ignored in silence. */
import * as z from "zod/mini";
import { LIMITS } from "../limits.ts";
import { ToolCall } from "./tool.ts";

const Conversation = z.optional(
  z.string().check(z.minLength(1), z.maxLength(LIMITS.conversation_name_chars_max)),
);
const Prompt = z.string().check(z.minLength(1), z.maxLength(LIMITS.prompt_chars_max));

/** `POST /v1/tasks` with words for the planner. */
export const PromptTask = z.strictObject({ prompt: Prompt, conversation: Conversation });
export const promptTaskExample: z.infer<typeof PromptTask> = { prompt: "/run 6 * 7" };

/** `POST /v1/tasks` with a tool called by name. */
export const ToolTask = z.discriminatedUnion("tool", [
  z.extend(ToolCall.def.options[0], { conversation: Conversation }),
]);
export const toolTaskExample: z.infer<typeof ToolTask> = { tool: "run_code", input: { code: "6 * 7" } };

/** `POST /v1/tasks/:id/messages`. */
export const SteeringMessage = z.strictObject({ text: Prompt });
export const steeringMessageExample: z.infer<typeof SteeringMessage> = { text: "In Celsius, please." };
