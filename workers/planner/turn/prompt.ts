/** What a model is given to read: the conversation as messages, with everything untrusted fenced. */
import type { MessageContent } from "../../../shared/contracts/message.ts";
import { readAskedCall } from "../../../shared/contracts/tools/index.ts";
import type { Transcript, TranscriptCall } from "../../../shared/store/transcript.ts";
import type { CallPart, FilePart, PromptMessage, ResultPart, TextPart } from "../models/model.ts";
import { toFilePart } from "./file-parts.ts";
import type { Fence } from "./fence.ts";
import { makeImageKey, NO_FILES, type PromptFiles } from "./files.ts";
import { type Budgeted, type Said, buildSteps, applyBudget } from "./steps.ts";

const SYSTEM = `You are Errand, an assistant that people reach from their chat apps. You run errands: answer in the language you
are asked in, briefly, in Markdown. Use the tools when they make the answer right; do not say that you will, do it.
In groups a name in brackets says who speaks.`;

/** What a model is told before everything else. */
export function describeSystem(fence: Fence): string {
  return `${SYSTEM}\n${fence.rule}`;
}

/** The conversation, oldest first. */
export function buildPrompt(
  transcript: Transcript,
  fence: Fence,
  files: PromptFiles = NO_FILES,
): PromptMessage[] {
  const steps = buildSteps(transcript, files);
  return buildMessages(
    applyBudget(steps, (content) => readText(content, fence).length),
    fence,
    files,
  );
}

function buildMessages({ steps, shortened }: Budgeted, fence: Fence, files: PromptFiles): PromptMessage[] {
  const messages: PromptMessage[] = [];
  let results: ResultPart[] = [];
  for (const { said, text, calls } of steps) {
    const parts = said.flatMap((one) => toParts(one, fence));
    if (results.length + parts.length > 0) messages.push({ role: "user", parts: [...results, ...parts] });
    if (text !== null && (text !== "" || calls.length > 0)) {
      const spoken = text.trim() === "" ? [] : [textPart(text)];
      messages.push({ role: "assistant", parts: [...spoken, ...calls.map(callPart)] });
    }
    results = calls.map((call) => resultPart(call, { isShort: shortened.has(call), fence, files }));
  }
  if (results.length > 0) messages.push({ role: "user", parts: results });
  return messages;
}

const textPart = (text: string): TextPart => ({ type: "text", text });

const makeId = ({ taskId, turn, call }: TranscriptCall) => `${taskId}_${turn}_${call}`;

function callPart(call: TranscriptCall): CallPart {
  return { type: "call", id: makeId(call), ...readAskedCall(call.made) };
}

function resultPart(
  call: TranscriptCall,
  { isShort, fence, files }: { isShort: boolean; fence: Fence; files: PromptFiles },
): ResultPart {
  const { observation } = call;
  const result = (ok: boolean, ...parts: (TextPart | FilePart)[]): ResultPart => ({
    type: "result",
    callId: makeId(call),
    ok,
    parts,
  });
  if (observation === null) return result(false, textPart("It was stopped before it was done."));
  if (isShort) return result(true, textPart(`(left out: ${observation.text.length} characters)`));
  const images = (files.get(makeImageKey(call)) ?? []).map((file) => toFilePart(file, fence));
  return result(observation.ok, textPart(fence.around(observation.text)), ...images);
}

/** Files first, as the words are about them. */
function toParts({ content, files }: Said, fence: Fence): (TextPart | FilePart)[] {
  const text = readText(content, fence);
  return [...files.map((file) => toFilePart(file, fence)), ...(text === "" ? [] : [textPart(text)])];
}

function readText(content: MessageContent, fence: Fence): string {
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
