/** What a model is given to read: the conversation as messages, with everything untrusted fenced. */
import type { Transcript, TranscriptCall } from "../../../shared/store/transcript.ts";
import { cutMiddle } from "../../../shared/text.ts";
import type { CallPart, FilePart, PromptMessage, ResultPart, TextPart } from "../models/model.ts";
import { applyBudget, type Room } from "./budget.ts";
import type { Fence } from "./fence.ts";
import { toFileParts } from "./file-parts.ts";
import { NO_FILES, type PromptFile, type PromptFiles } from "./files.ts";
import { measureStep, tellCall, tellResult, tellWords } from "./pieces.ts";
import { buildSteps, type Called, type Said, type Step } from "./steps.ts";

const SYSTEM = `You are Errand, an assistant that people reach from their chat apps. You run errands: answer in the language you
are asked in, briefly, in Markdown. Use the tools when they make the answer right; do not say that you will, do it.
In groups a message begins with the name in brackets of who speaks; brackets further on are its own words.`;

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
  const { steps, room } = applyBudget(buildSteps(transcript, files), (step) => measureStep(step, fence));
  const teller = new Teller(fence, room);
  const messages: PromptMessage[] = [];
  let results: ResultPart[] = [];
  for (const step of steps) {
    const parts = step.said.flatMap((one) => teller.said(one));
    if (results.length + parts.length > 0) messages.push({ role: "user", parts: [...results, ...parts] });
    const answered = teller.answer(step);
    if (answered.length > 0) messages.push({ role: "assistant", parts: answered });
    results = step.calls.map((called) => teller.result(called));
  }
  if (results.length > 0) messages.push({ role: "user", parts: results });
  return messages;
}

const listText = (text: string): TextPart[] => (text.trim() === "" ? [] : [{ type: "text", text }]);

const makeId = ({ taskId, turn, call }: TranscriptCall) => `${taskId}_${turn}_${call}`;

/** Tells each piece in its room. */
class Teller {
  private readonly fence: Fence;
  private readonly room: Room;

  constructor(fence: Fence, room: Room) {
    this.fence = fence;
    this.room = room;
  }

  /** Files first, as the words are about them. */
  said(one: Said): (TextPart | FilePart)[] {
    return [...this.files(one.files), ...listText(tellWords(one.content, this.fence, this.of(one)))];
  }

  answer(step: Step): (TextPart | CallPart)[] {
    const text = cutMiddle(step.text ?? "", this.of(step));
    const calls = step.calls.map((called): CallPart => ({
      type: "call",
      id: makeId(called.call),
      ...tellCall(called.call, this.of(called)),
    }));
    return [...listText(this.of(step) > 0 ? text : ""), ...calls];
  }

  result({ call, images }: Called): ResultPart {
    const words: TextPart = { type: "text", text: tellResult(call, this.fence, this.of(call)) };
    const ok = call.observation?.ok ?? false;
    return { type: "result", callId: makeId(call), ok, parts: [words, ...this.files(images)] };
  }

  private files(files: readonly PromptFile[]): (TextPart | FilePart)[] {
    return files.flatMap((file) => toFileParts(file, this.fence, this.of(file)));
  }

  private of(owner: object): number {
    return this.room.get(owner) ?? 0;
  }
}
