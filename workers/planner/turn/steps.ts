/** A conversation as the steps that a model took in it. */
import type { MessageContent } from "../../../shared/contracts/message.ts";
import type { Transcript, TranscriptCall } from "../../../shared/store/transcript.ts";
import { makeImageKey, type PromptFile, type PromptFiles } from "./files.ts";

/** A message and what came with it. */
export interface Said {
  readonly content: MessageContent;
  readonly files: readonly PromptFile[];
}

/** A call and the images that it brought. */
export interface Called {
  readonly call: TranscriptCall;
  readonly images: readonly PromptFile[];
}

/** One turn of a task: what was read before the model answered, what it answered, and what it called. */
export interface Step {
  readonly taskId: string;
  readonly said: readonly Said[];
  readonly text: string | null;
  readonly calls: readonly Called[];
}

/** The turns in the order in which they read: each with what it read, said and called. What an end has read is a step of its own, the task's last. */
export function buildSteps({ messages, turns, calls }: Transcript, files: PromptFiles): Step[] {
  const tasks = [...new Set(messages.map(({ readBy }) => readBy.taskId))];
  return tasks.flatMap((taskId) => {
    const read = messages.filter(({ readBy }) => readBy.taskId === taskId);
    const answered = turns.filter((turn) => turn.taskId === taskId);
    const numbers = new Set([...answered.map(({ turn }) => turn), ...read.map(({ readBy }) => readBy.turn)]);
    return [...numbers]
      .toSorted((a, b) => (a ?? Infinity) - (b ?? Infinity))
      .map((turn): Step => ({
        taskId,
        said: read
          .filter(({ readBy }) => readBy.turn === turn)
          .map(({ id, content }) => ({ content, files: files.get(id) ?? [] })),
        text: answered.find((one) => one.turn === turn)?.text ?? null,
        calls: calls
          .filter((call) => call.taskId === taskId && call.turn === turn)
          .map((call) => ({ call, images: files.get(makeImageKey(call)) ?? [] })),
      }));
  });
}
