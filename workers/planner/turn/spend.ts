/** Room for a model call under the spending caps, before it is made. */
import { readTimings } from "../../../shared/config.ts";
import { type Permanent, type Transient, transient } from "../../../shared/errors.ts";
import { nameApproval } from "../../../shared/ids.ts";
import { LIMITS, type Timings } from "../../../shared/limits.ts";
import { log } from "../../../shared/log.ts";
import { resolveCaps } from "../../../shared/policy/caps.ts";
import { reserve, type Reservation, type Room } from "../../../shared/store/reserve.ts";
import type { TurnClaim } from "../../../shared/store/statements/guards.ts";
import type { Transcript } from "../../../shared/store/transcript.ts";
import { isAdminPerson } from "../access.ts";
import type { Env } from "../env.ts";
import type { Price } from "../models/model.ts";
import { askForMore, NO_MORE, refuse } from "./ask-for-more.ts";
import { findNearest, findReached } from "./reached.ts";

export interface Spending extends TurnClaim {
  readonly transcript: Pick<Transcript, "tenantId" | "channel" | "conversationId" | "sender" | "policy">;
  readonly price: Price | null;
  /** Estimated: what the model reads. */
  readonly tokensIn: number;
}

/** Why no model is asked; or a person is. */
export type Stopped = Transient | Permanent | { kind: "waits" };

/** `rooms`: as they were when it was reserved. */
export type Reserved = { kind: "reserved"; tokensOutMax: number; rooms: readonly Room[] } | Stopped;

/** What is left may be held by calls under way, which cost less in the end: how often it is looked at. */
const HELD_LOOK_MS = 250;
const HELD_LOOK_MS_MAX = 4_000;

export async function reserveRoom(env: Env, spending: Spending): Promise<Reserved> {
  const timings = readTimings(env);
  const reservation = await makeReservation(spending, timings);
  const reserved = await reserveWhenFree(env.DB, reservation, timings);
  const { rooms } = reserved;
  if (reserved.kind === "reserved") return { kind: "reserved", tokensOutMax: reserved.tokensOut, rooms };
  const reached = findReached(rooms, reservation);
  if (reserved.kind === "denied")
    return refuse({ ...spending, reservation, room: reached ?? findNearest(rooms, reservation) }, NO_MORE);
  if (reached === null) return transient("other tasks hold what is left of the spending limit");
  return stop(env, spending, { rooms, reservation, room: reached });
}

/** The model had no room for its whole answer: what it has written is no answer. */
export async function stopCutOff(env: Env, spending: Spending, rooms: readonly Room[]): Promise<Stopped> {
  const reservation = await makeReservation(spending, readTimings(env));
  return stop(env, spending, { rooms, reservation, room: findNearest(rooms, reservation) });
}

/** An admin is asked for more; anybody else is told. */
async function stop(
  env: Env,
  spending: Spending,
  at: { rooms: readonly Room[]; reservation: Reservation; room: Room },
): Promise<Stopped> {
  const { taskId, transcript } = spending;
  log("warn", { stage: "planner", effect: "capped", task_id: taskId, detail: at.room.scope });
  const told = { ...spending, ...at };
  return (await isAdminPerson(env, transcript)) ? askForMore(env, told) : refuse(told);
}

async function makeReservation(
  { taskId, turn, claim, transcript, price, tokensIn }: Spending,
  { plan_ms, room_wait_ms }: Timings,
): Promise<Reservation> {
  const caps = resolveCaps(transcript.policy.caps);
  const ofSender = transcript.channel === "api" ? caps.key_day : caps.person_day;
  return {
    taskId,
    turn,
    claim,
    tokensIn,
    tokensOutMin: LIMITS.answer_tokens_min,
    tokensOutMax: LIMITS.answer_tokens_max,
    price: price ?? { input: 0, output: 0 },
    caps: { task: caps.task, sender: ofSender, tenant: caps.tenant_day },
    approvalId: await nameApproval({ taskId, turn, call: 0 }),
    until: Date.now() + plan_ms + room_wait_ms,
  };
}

/** Waits while only calls under way hold what is left, for a while. */
async function reserveWhenFree(db: D1Database, reservation: Reservation, { room_wait_ms }: Timings) {
  const end = Date.now() + room_wait_ms;
  for (let lookMs = HELD_LOOK_MS; ; lookMs = Math.min(lookMs * 2, HELD_LOOK_MS_MAX)) {
    const reserved = await reserve(db, reservation, Date.now());
    const isHeld = reserved.kind === "full" && findReached(reserved.rooms, reservation) === null;
    if (!isHeld || Date.now() >= end) return reserved;
    await sleep(lookMs);
  }
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
