/** Room for a model call under the spending caps, before it is made; where there is none, what people are told, and asked. */
import { readTimings } from "../../../shared/config.ts";
import { type Permanent, type Transient, transient } from "../../../shared/errors.ts";
import { nameApproval } from "../../../shared/ids.ts";
import { LIMITS, type Timings } from "../../../shared/limits.ts";
import { log } from "../../../shared/log.ts";
import {
  dayOf,
  formatAmount,
  type HeldCap,
  renewalOf,
  resolveCaps,
  toMicroUsd,
} from "../../../shared/policy/caps.ts";
import { ring } from "../../../shared/queue/doorbell.ts";
import { readDecision } from "../../../shared/store/approvals.ts";
import { requestPerson } from "../../../shared/store/request-person.ts";
import { reserve, type Reservation, type Room } from "../../../shared/store/reserve.ts";
import type { TurnClaim } from "../../../shared/store/statements/guards.ts";
import type { Transcript } from "../../../shared/store/transcript.ts";
import { describeDeciding, makeApprovalButtons } from "../../../shared/strings.ts";
import { getBells, type Env } from "../env.ts";
import type { Price } from "../models/model.ts";
import { isAdminPerson } from "../access.ts";
import { describeReached, isReached, nameCap } from "./reached.ts";

export interface Spending extends TurnClaim {
  readonly transcript: Pick<Transcript, "tenantId" | "channel" | "conversationId" | "sender" | "policy">;
  readonly price: Price | null;
  readonly tokensIn: number;
}

export type Reserved = { kind: "reserved"; tokensOutMax: number } | Transient | Permanent | { kind: "waits" };

/** What is left may be held by calls under way, which cost less in the end: how often it is looked at. */
const HELD_LOOK_MS = 250;
const HELD_LOOK_MS_MAX = 4_000;

export async function reserveRoom(env: Env, spending: Spending): Promise<Reserved> {
  const { transcript, price, tokensIn } = spending;
  const caps = resolveCaps(transcript.policy.caps);
  const isKey = transcript.channel === "api";
  const timings = readTimings(env);
  const now = Date.now();
  const reservation: Reservation = {
    ...spending,
    tokensIn,
    tokensOutMin: LIMITS.answer_tokens_min,
    tokensOutMax: LIMITS.answer_tokens_max,
    price: price ?? { input: 0, output: 0 },
    caps: { task: caps.task, sender: isKey ? caps.key_day : caps.person_day, tenant: caps.tenant_day },
    until: now + timings.plan_ms,
  };
  const reserved = await reserveWhenFree(env.DB, reservation, timings);
  if (reserved.kind === "reserved") return { kind: "reserved", tokensOutMax: reserved.tokensOut };
  const reached = reserved.rooms.find((room) => isReached(room, reservation));
  if (reached === undefined) return transient("other tasks hold what is left of the spending limit");
  log("warn", { stage: "planner", effect: "capped", task_id: spending.taskId, detail: reached.scope });
  const told: Told = { room: reached, reservation, isKey, now };
  const spentByTask = reserved.rooms.find(({ scope }) => scope === "task") ?? reached;
  return (await isAdminPerson(env, transcript))
    ? askForMore(env, spending, told, { room: spentByTask, more: caps.task })
    : refuse(told, "");
}

/** The answer is "full" when a cap is reached, or when what is left was held for too long. */
async function reserveWhenFree(db: D1Database, reservation: Reservation, { room_wait_ms }: Timings) {
  const end = Date.now() + room_wait_ms;
  for (let lookMs = HELD_LOOK_MS; ; lookMs = Math.min(lookMs * 2, HELD_LOOK_MS_MAX)) {
    const reserved = await reserve(db, reservation, Date.now());
    const isHeld = reserved.kind === "full" && !reserved.rooms.some((room) => isReached(room, reservation));
    if (!isHeld || Date.now() >= end) return reserved;
    await sleep(lookMs);
  }
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

interface Told {
  readonly room: Room;
  readonly reservation: Reservation;
  readonly isKey: boolean;
  readonly now: number;
}

function refuse({ room, reservation, isKey, now }: Told, more: string): Permanent {
  return {
    kind: "permanent",
    reason: `${describeReached(room, reservation, isKey, now)}${more}`,
    cap: nameCap(room, now),
  };
}

/** An admin is asked, once a turn; what they allow is for this task alone, whatever its caps. */
async function askForMore(
  env: Env,
  { taskId, turn, claim }: Spending,
  told: Told,
  { room, more }: { room: Room; more: HeldCap },
): Promise<Reserved> {
  const { reservation, isKey, now } = told;
  const key = { taskId, turn, call: 0 };
  const id = await nameApproval(key);
  const decided = await readDecision(env.DB, id);
  if (decided?.state === "open") return { kind: "waits" };
  if (decided !== undefined)
    return refuse(
      told,
      decided.state === "approved"
        ? "; what was allowed beyond it is used up as well"
        : "; no more was allowed",
    );
  const timings = readTimings(env);
  const tokens = Math.max(more.tokens, reservation.tokensIn + reservation.tokensOutMax);
  const microUsd = toMicroUsd(more.usd);
  const expiresAt =
    told.room.scope === "task"
      ? now + timings.approval_ms
      : Math.min(now + timings.approval_ms, renewalOf(dayOf(now)));
  const amount = formatAmount({ tokens, microUsd });
  const why = describeReached(told.room, reservation, isKey, now);
  const doorbells = await requestPerson(
    env.DB,
    {
      ...key,
      id,
      kind: "approval",
      text: `💰 **May I spend more on this?** I ask because ${why}.\n\nYes allows ${amount} more for this task. ${describeDeciding(id, expiresAt)}`,
      buttons: makeApprovalButtons(id, `✅ Allow ${amount} more`),
      choices: [],
      progress: "Waiting for somebody to allow more spending.",
      expiresAt,
      raise: {
        claim: { taskId, turn, claim },
        allows: { tokens: room.tokens + tokens, micro_usd: room.micro_usd + microUsd },
      },
    },
    now,
    timings,
  );
  await ring(getBells(env), doorbells, "planner");
  return { kind: "waits" };
}
