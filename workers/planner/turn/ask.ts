/** Asking a model for a turn, again without the files that it does not take. */
import type { Turn, TurnKey } from "../../../shared/contracts/turn.ts";
import {
  permanent,
  type Permanent,
  describeError,
  transient,
  type Transient,
} from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { recordRefused } from "../../../shared/store/attachments.ts";
import { dropImages } from "../../../shared/store/images.ts";
import { type Transcript, wasReadIn } from "../../../shared/store/transcript.ts";
import type { ModelClient, Refused } from "../models/model.ts";
import { checkAnswer, OFFERED_TOOLS } from "./check.ts";
import { Fence } from "./fence.ts";
import { makeImageKey, type PromptFiles, dropContents } from "./files.ts";
import { buildPrompt, describeSystem } from "./prompt.ts";

export interface Question extends TurnKey {
  readonly transcript: Transcript;
  readonly files: PromptFiles;
  readonly signal: AbortSignal;
  onText(delta: string): Promise<void>;
}

export type Asked = { kind: "planned"; planned: Turn } | Transient | Permanent;

/** A file that the model refuses does not take the words with it, now or later: what is new is left out first, and then all. */
export async function ask(db: D1Database, client: ModelClient, question: Question): Promise<Asked> {
  let asked = await askOnce(client, question);
  for (const suspects of listSuspects(question)) {
    if (asked.kind !== "refused") return asked;
    const { reason } = asked;
    asked = await askOnce(client, { ...question, files: dropContents(question.files, suspects, reason) });
    if (asked.kind === "planned") await remember(db, question, suspects, reason);
  }
  if (asked.kind !== "refused") return asked;
  const isChat = question.transcript.channel !== "api";
  return permanent(
    isChat ? `${asked.reason}; if that is about what was said before, /new forgets it` : asked.reason,
  );
}

/** Whoever asks next does not send them either. */
async function remember(
  db: D1Database,
  { transcript }: Question,
  owners: readonly string[],
  reason: string,
): Promise<void> {
  const messages = transcript.messages.filter(({ id }) => owners.includes(id));
  const calls = transcript.calls.filter((call) => owners.includes(makeImageKey(call)));
  if (messages.length > 0)
    await recordRefused(
      db,
      messages.map(({ id }) => id),
      reason,
    );
  if (calls.length > 0) await dropImages(db, calls);
}

/** The owners of files that are left out, in the order of suspicion: those that the model sees for the first time, and then all. */
function listSuspects({ taskId, turn, transcript, files }: Question): string[][] {
  const all = [...files].flatMap(([id, some]) => (some.some(({ content }) => content !== null) ? [id] : []));
  const isLast = (call: TurnKey) => call.taskId === taskId && call.turn === turn - 1;
  const seenNow = [
    ...transcript.messages.filter(wasReadIn({ taskId, turn })).map(({ id }) => id),
    ...transcript.calls.filter(isLast).map(makeImageKey),
  ];
  const isNew = all.filter((id) => seenNow.includes(id));
  const isDistinct = isNew.length > 0 && isNew.length < all.length;
  return [...(isDistinct ? [isNew] : []), ...(all.length > 0 ? [all] : [])];
}

/** A client that throws has met something nobody foresaw: it may pass. */
async function askOnce(client: ModelClient, question: Question): Promise<Asked | Refused> {
  const { taskId, transcript, files, signal } = question;
  const { conversationId, tenantId } = transcript;
  const fence = new Fence(transcript.nonce);
  try {
    const answer = await client.complete({
      taskId,
      conversationId,
      tenantId,
      system: describeSystem(fence),
      tools: OFFERED_TOOLS,
      messages: buildPrompt(transcript, fence, files),
      answerTokensMax: LIMITS.answer_tokens_max,
      signal,
      onText: (delta) => question.onText(delta),
    });
    return answer.kind === "answer" ? checkAnswer(answer) : answer;
  } catch (error) {
    return signal.aborted
      ? transient("the model did not answer in time")
      : permanent(`the model client failed: ${describeError(error)}`);
  }
}
