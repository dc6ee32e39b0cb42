/** A spending cap that is reached: which, and what people and programs are told of it. */
import type { ChannelName } from "../../../shared/contracts/channel.ts";
import type { ReachedCap } from "../../../shared/contracts/task.ts";
import { dayOf, formatAmount, formatRenewal, renewalOf } from "../../../shared/policy/caps.ts";
import type { Reservation, Room } from "../../../shared/store/reserve.ts";

/** Micro-dollars of a call that writes so much; 0 where nobody told the price. */
export const costOf = ({ tokensIn, price }: Reservation, tokensOut: number) =>
  Math.ceil(tokensIn * price.input + tokensOut * price.output);

/** Even if the calls under way cost nothing, there would be no room. */
function isFull(room: Room, reservation: Reservation): boolean {
  const { tokensIn, tokensOutMin } = reservation;
  const cost = costOf(reservation, tokensOutMin);
  return (
    room.tokens - room.tokens_held + tokensIn + tokensOutMin > room.tokens_max ||
    (cost > 0 && room.micro_usd - room.micro_usd_held + cost > room.micro_usd_max)
  );
}

/** The cap that has no room; null where what is left is only held by calls under way. What somebody has allowed goes beyond all caps. */
export function findReached(rooms: readonly Room[], reservation: Reservation): Room | null {
  const allowed = rooms.find(({ scope }) => scope === "allowed");
  if (allowed !== undefined && !isFull(allowed, reservation)) return null;
  return rooms.find((room) => room.scope !== "allowed" && isFull(room, reservation)) ?? null;
}

/** The cap with the least left for an answer. */
export function findNearest(rooms: readonly Room[], { price }: Reservation): Room {
  const left = (room: Room) =>
    Math.min(
      room.tokens_max - room.tokens,
      price.output === 0 ? Infinity : (room.micro_usd_max - room.micro_usd) / price.output,
    );
  const [nearest] = rooms
    .filter(({ scope }) => scope !== "allowed")
    .toSorted((one, other) => left(one) - left(other));
  if (nearest === undefined) throw new Error("the task is gone");
  return nearest;
}

/** As programs read it. */
export function nameCap({ scope }: Room, now: number): ReachedCap {
  return scope === "sender" || scope === "tenant"
    ? { scope, renews_at: renewalOf(dayOf(now)) }
    : { scope: "task", renews_at: null };
}

/** What is left, what the next step needs, and when it renews. */
export function describeReached(
  room: Room,
  reservation: Reservation,
  channel: ChannelName,
  now: number,
): string {
  const whose = {
    task: "the spending limit of this task",
    allowed: "what was allowed for this task",
    sender: channel === "api" ? "today's spending limit of this API key" : "your spending limit for today",
    tenant: "today's spending limit for everybody together",
  }[room.scope];
  const { tokensIn, tokensOutMin } = reservation;
  const left = formatAmount({
    tokens: Math.max(0, room.tokens_max - room.tokens),
    microUsd: Math.max(0, room.micro_usd_max - room.micro_usd),
  });
  const max = formatAmount({ tokens: room.tokens_max, microUsd: room.micro_usd_max });
  const needed = formatAmount({
    tokens: tokensIn + tokensOutMin,
    microUsd: costOf(reservation, tokensOutMin),
  });
  const { renews_at } = nameCap(room, now);
  const renews = renews_at === null ? "" : `; it renews ${formatRenewal(renews_at, now)}`;
  return `${whose} is reached: of ${max} there are ${left} left, and the next step needs ${needed} at least${renews}`;
}
