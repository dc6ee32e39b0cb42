/** A spending cap that is reached: whether it is, and what people and programs are told of it. */
import type { ReachedCap } from "../../../shared/contracts/task.ts";
import { dayOf, formatAmount, formatRenewal, renewalOf } from "../../../shared/policy/caps.ts";
import type { Reservation, Room } from "../../../shared/store/reserve.ts";

/** Even if the calls under way cost nothing, there would be no room. */
export function isReached(room: Room, { tokensIn, tokensOutMin, price }: Reservation): boolean {
  const cost = tokensIn * price.input + tokensOutMin * price.output;
  return (
    room.tokens - room.tokens_held + tokensIn + tokensOutMin > room.tokens_max ||
    (cost > 0 && room.micro_usd - room.micro_usd_held + cost > room.micro_usd_max)
  );
}

/** As programs read it. */
export function nameCap({ scope }: Room, now: number): ReachedCap {
  return { scope, renews_at: scope === "task" ? null : renewalOf(dayOf(now)) };
}

/** What is used up, what is left, and when it renews. */
export function describeReached(
  room: Room,
  { tokensIn, tokensOutMin }: Reservation,
  isKey: boolean,
  now: number,
): string {
  const whose = {
    task: "the spending limit of this task",
    sender: isKey ? "today's spending limit of this API key" : "your spending limit for today",
    tenant: "today's spending limit for everybody together",
  }[room.scope];
  const spent = formatAmount({ tokens: room.tokens, microUsd: room.micro_usd });
  const max = formatAmount({ tokens: room.tokens_max, microUsd: room.micro_usd_max });
  const renews = room.scope === "task" ? "" : `; it renews ${formatRenewal(renewalOf(dayOf(now)), now)}`;
  const needed = (tokensIn + tokensOutMin).toLocaleString("en-US");
  return `${whose} is used up: ${spent} of ${max} are spent, and the next step needs about ${needed} tokens at least${renews}`;
}
