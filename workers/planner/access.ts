/** Who may talk to this installation: whom its variables name, and whom somebody has admitted. */
import type { InboundEvent } from "../../shared/contracts/inbound.ts";
import type { NewInbound } from "../../shared/store/inbound.ts";
import { type Standing, standingsOf } from "../../shared/store/people.ts";
import type { Env } from "./env.ts";

export type Access =
  | { kind: "admitted"; isAdmin: boolean }
  /** Nobody has heard of them: they are told how to be admitted, once. */
  | { kind: "stranger" }
  /** Someone who may, in a group that may not. */
  | { kind: "admin in a strange group" }
  | { kind: "refused"; reason: string };

export interface Heard {
  inbound: NewInbound;
  event: InboundEvent;
}

/** Decides for each. Reads the list only for those whom the variables do not name. */
export async function accessOf(env: Env, heard: readonly Heard[]): Promise<(one: Heard) => Access> {
  const unnamed = heard.filter(({ event }) => namedAs(env, event) === null);
  const known = new Map<string, ReadonlyMap<string, Standing>>();
  for (const { inbound, event } of unnamed) {
    const key = JSON.stringify([inbound.tenant_id, event.channel]);
    if (known.has(key)) continue;
    const ids = unnamed.flatMap(({ event: { address, sender } }) => [address.chatId, sender.id]);
    known.set(
      key,
      await standingsOf(env.DB, {
        tenantId: inbound.tenant_id,
        channel: event.channel,
        ids: [...new Set(ids)],
      }),
    );
  }
  return (one) => {
    const as = namedAs(env, one.event);
    if (as !== null) return { kind: "admitted", isAdmin: as === "person" };
    return judge(
      one.event,
      known.get(JSON.stringify([one.inbound.tenant_id, one.event.channel])) ?? new Map(),
    );
  };
}

/** Whoever is named by their own id runs this installation, or is trusted by whoever does: as an admin. */
function namedAs(env: Env, { channel, sender, address }: InboundEvent): "person" | "chat" | null {
  switch (channel) {
    case "telegram": {
      const named = (env.TELEGRAM_ALLOWED_USERS ?? "").split(",").map((id) => id.trim());
      if (named.includes(sender.id)) return "person";
      return named.includes("*") || named.includes(address.chatId) ? "chat" : null;
    }
  }
}

function judge({ sender, address, isGroup }: InboundEvent, standings: ReadonlyMap<string, Standing>): Access {
  const [person, chat] = [standings.get(sender.id), standings.get(address.chatId)];
  if (isGroup === true) {
    if (chat === "member") return { kind: "admitted", isAdmin: person === "admin" };
    if (person === "admin") return { kind: "admin in a strange group" };
    return {
      kind: "refused",
      reason: `the group ${address.chatId} is not admitted: an admin of ours may send /admit there`,
    };
  }
  if (person === "member" || person === "admin") return { kind: "admitted", isAdmin: person === "admin" };
  return person === undefined
    ? { kind: "stranger" }
    : { kind: "refused", reason: `person ${sender.id} is not admitted, and was told how to be` };
}
