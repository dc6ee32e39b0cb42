/** The pieces of a prompt as a model reads them, each within its room; whatever the sender did not type is fenced. */
import type { MessageContent } from "../../../shared/contracts/message.ts";
import { readAskedCall } from "../../../shared/contracts/tools/index.ts";
import type { TranscriptCall } from "../../../shared/store/transcript.ts";
import { cutMiddle, LEFT_OUT_UNITS } from "../../../shared/text.ts";
import type { StepPieces } from "./budget.ts";
import type { Fence } from "./fence.ts";
import { countFileChars } from "./file-parts.ts";
import type { Step } from "./steps.ts";

/** The words of a message. What is cut is what was typed, never what stands around it. */
export function tellWords(content: MessageContent, fence: Fence, charsMax = Infinity): string {
  const whole = tellWhole(content, fence);
  if (whole.length <= charsMax) return whole;
  if (content.type === "call") return cutMiddle(whole, charsMax);
  const around = whole.length - content.text.length;
  // What stands around it takes more than there is room for: a long quote. Somebody else's words are not told without their fence.
  if (around + LEFT_OUT_UNITS > charsMax)
    return cutMiddle(content.text, content.forwardedFrom === undefined ? charsMax : 0);
  return tellWhole({ ...content, text: cutMiddle(content.text, charsMax - around) }, fence);
}

function tellWhole(content: MessageContent, fence: Fence): string {
  if (content.type === "call") return `Call ${content.call.tool} with ${JSON.stringify(content.call.input)}`;
  const { quote, from, forwardedFrom, unreadable = [] } = content;
  const said =
    forwardedFrom === undefined
      ? content.text
      : `forwarded:\n${fence.around(`from ${forwardedFrom}:\n\n${content.text}`)}`;
  const text = from === undefined ? said : `[${from}] ${said}`.trim();
  const beside =
    unreadable.length > 0 ? `(a ${unreadable.join(", ")} came with this, which you cannot read)` : "";
  const answered = quote === undefined ? "" : `${fence.around(quote)}\n(the message above is what I answer)`;
  return [answered, text, beside].filter((part) => part !== "").join("\n\n");
}

/** What a call brought, in words. */
export function tellResult({ observation, said }: TranscriptCall, fence: Fence, charsMax = Infinity): string {
  if (observation === null) return "It was stopped before it was done.";
  // The words of whoever may decide are no data.
  if (said !== null) return cutMiddle(observation.text, charsMax);
  const whole = fence.around(observation.text);
  if (whole.length <= charsMax) return whole;
  const around = whole.length - observation.text.length;
  return fence.around(cutMiddle(observation.text, charsMax - around));
}

/** What a model asked for, as it asked; of an input that is too long, how long it was. */
export function tellCall({ made }: TranscriptCall, charsMax = Infinity): { name: string; input: unknown } {
  const chars = countInputChars(made.input);
  const asked = readAskedCall(made);
  return chars <= charsMax ? asked : { name: asked.name, input: { left_out: `${chars} characters` } };
}

const countInputChars = (input: unknown) => JSON.stringify(input).length;

/** How long the pieces of a step are, told whole. */
export function measureStep(step: Step, fence: Fence): StepPieces {
  const { said, text, calls } = step;
  const files = [...said.flatMap((one) => one.files), ...calls.flatMap(({ images }) => images)];
  return {
    words: said.map((one) => ({ owner: one, chars: tellWords(one.content, fence).length })),
    text: { owner: step, chars: text?.length ?? 0 },
    inputs: calls.map((one) => ({ owner: one, chars: countInputChars(one.call.made.input) })),
    results: calls.map(({ call }) => ({ owner: call, chars: tellResult(call, fence).length })),
    files: files.map((file) => ({ owner: file, chars: countFileChars(file, fence) })),
  };
}
