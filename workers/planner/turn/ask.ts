/** Asking a model for a turn, if there is room for it under the spending caps; again without the files that it does not take. */
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
import type { TurnClaim } from "../../../shared/store/statements/guards.ts";
import type { Spent } from "../../../shared/store/statements/spending.ts";
import { type Transcript, wasReadIn } from "../../../shared/store/transcript.ts";
import type { Env } from "../env.ts";
import type { ModelClient, OfferedTool, Refused } from "../models/model.ts";
import { checkAnswer } from "./check.ts";
import { Fence } from "./fence.ts";
import { makeImageKey, type PromptFiles, dropContents } from "./files.ts";
import { estimateTokensIn, Meter } from "./meter.ts";
import { buildPrompt, describeSystem } from "./prompt.ts";
import { reserveRoom, stopCutOff } from "./spend.ts";

export interface Question extends TurnClaim {
  readonly transcript: Transcript;
  readonly files: PromptFiles;
  readonly tools: readonly OfferedTool[];
  /** There is room for it: it begins now. `soFar` says what is known of its cost; the signal ends it. */
  begin(soFar: () => { read: number; written: number }): AbortSignal;
  onText(delta: string): Promise<void>;
}

type Asked = { kind: "planned"; planned: Turn } | Transient | Permanent;

/** The answer had less room than any may have, and was cut off there. */
type CutOff = { kind: "cut_off" };

/** `spent`: what it did cost, which is to be settled; null where nothing was reserved. */
export type Answered = (Asked | { kind: "waits" }) & { readonly spent: Spent | null };

/** A call that has no room is not made. */
export async function ask(env: Env, client: ModelClient, question: Question): Promise<Answered> {
  const { price } = client;
  const tokensIn = estimateTokensIn(buildRequest(question));
  const spending = { ...question, price, tokensIn };
  const room = await reserveRoom(env, spending);
  if (room.kind !== "reserved") return { ...room, spent: null };
  const meter = new Meter(price, tokensIn);
  const signal = question.begin(() => meter.soFar);
  const asked = await askWithin(env.DB, client, {
    ...question,
    signal,
    tokensOutMax: room.tokensOutMax,
    meter,
  });
  const stopped = asked.kind === "cut_off" ? await stopCutOff(env, spending, room.rooms) : asked;
  return { ...stopped, spent: meter.spent };
}

interface Metered extends Question {
  readonly signal: AbortSignal;
  readonly tokensOutMax: number;
  readonly meter: Meter;
}

/** A file that the model refuses does not take the words with it, now or later: what is new is left out first, and then all. */
async function askWithin(db: D1Database, client: ModelClient, question: Metered): Promise<Asked | CutOff> {
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

function buildRequest({ taskId, transcript, files, tools }: Question) {
  const { conversationId, tenantId, nonce } = transcript;
  const fence = new Fence(nonce);
  return {
    taskId,
    conversationId,
    tenantId,
    system: describeSystem(fence),
    tools,
    messages: buildPrompt(transcript, fence, files),
  };
}

/** A client that throws has met something nobody foresaw: it may pass. */
async function askOnce(client: ModelClient, question: Metered): Promise<Asked | CutOff | Refused> {
  const { signal, meter, tokensOutMax } = question;
  const brokeOff = () => meter.addBroken({ isAborted: signal.aborted });
  try {
    const answer = await client.complete({
      ...buildRequest(question),
      answerTokensMax: tokensOutMax,
      signal,
      onText: (delta) => question.onText(delta),
      onAccepted: () => meter.onAccepted(),
      onWritten: (delta) => meter.onWritten(delta),
      onUsage: (usage) => meter.onUsage(usage),
    });
    if (answer.kind === "answer") {
      meter.add(answer.usage);
      const isCutOff = answer.stop === "length" && tokensOutMax < LIMITS.answer_tokens_max;
      return isCutOff ? { kind: "cut_off" } : checkAnswer(answer);
    }
    brokeOff();
    return answer;
  } catch (error) {
    brokeOff();
    return signal.aborted
      ? transient("the model did not answer in time")
      : permanent(`the model client failed: ${describeError(error)}`);
  }
}
