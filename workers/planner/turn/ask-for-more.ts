/** A turn that has no room under the spending caps: it ends its task in words, or an admin is asked for more. */
import { readTimings } from "../../../shared/config.ts";
import type { Permanent } from "../../../shared/errors.ts";
import { formatAmount, resolveCaps, toMicroUsd } from "../../../shared/policy/caps.ts";
import { ring } from "../../../shared/queue/doorbell.ts";
import { readDecision } from "../../../shared/store/approvals.ts";
import { requestPerson } from "../../../shared/store/request-person.ts";
import type { Reservation, Room } from "../../../shared/store/reserve.ts";
import type { Transcript } from "../../../shared/store/transcript.ts";
import { describeDeciding, makeApprovalButtons } from "../../../shared/strings.ts";
import { getBells, type Env } from "../env.ts";
import { costOf, describeReached, nameCap } from "./reached.ts";

/** What there is no room for. */
export interface Unaffordable {
  readonly transcript: Pick<Transcript, "channel" | "policy">;
  readonly reservation: Reservation;
  /** The cap that is reached. */
  readonly room: Room;
}

/** What is said of a person who has said no, or nothing. */
export const NO_MORE = "; no more was allowed";

export function refuse({ transcript, reservation, room }: Unaffordable, more = ""): Permanent {
  const now = Date.now();
  const reason = describeReached(room, reservation, transcript.channel, now);
  return { kind: "permanent", reason: `${reason}${more}`, cap: nameCap(room, now) };
}

/** Once a turn. What is allowed is for this task alone, whatever its caps: as much as a task has, and enough for the next step. */
export async function askForMore(
  env: Env,
  told: Unaffordable & { readonly rooms: readonly Room[] },
): Promise<Permanent | { kind: "waits" }> {
  const { transcript, reservation, room, rooms } = told;
  const { taskId, turn, claim, approvalId, tokensIn, tokensOutMax } = reservation;
  const decided = await readDecision(env.DB, approvalId);
  if (decided?.state === "open") return { kind: "waits" };
  if (decided?.state === "approved") return refuse(told, "; what was allowed beyond it is used up as well");
  if (decided !== undefined) return refuse(told, NO_MORE);
  const timings = readTimings(env);
  const now = Date.now();
  const { task: most } = resolveCaps(transcript.policy.caps);
  const tokens = Math.max(most.tokens, tokensIn + tokensOutMax);
  const microUsd = Math.max(toMicroUsd(most.usd), costOf(reservation, tokensOutMax));
  const ofTask = rooms.find(({ scope }) => scope === "task") ?? room;
  const renewsAt = nameCap(room, now).renews_at ?? Infinity;
  const expiresAt = Math.min(now + timings.approval_ms, renewsAt);
  const amount = formatAmount({ tokens, microUsd });
  const why = describeReached(room, reservation, transcript.channel, now);
  const request = {
    taskId,
    turn,
    call: 0,
    id: approvalId,
    kind: "approval" as const,
    expiresAt,
    text: `💰 **May I spend more on this?** I ask because ${why}.\n\nYes allows ${amount} more for this task. ${describeDeciding(approvalId, expiresAt)}`,
    buttons: makeApprovalButtons(approvalId, `✅ Allow ${amount} more`),
    choices: [],
    progress: "Waiting for somebody to allow more spending.",
    raise: {
      claim: { taskId, turn, claim },
      allows: { tokens: ofTask.tokens + tokens, micro_usd: ofTask.micro_usd + microUsd },
    },
  };
  await ring(getBells(env), await requestPerson(env.DB, request, now, timings), "planner");
  return { kind: "waits" };
}
