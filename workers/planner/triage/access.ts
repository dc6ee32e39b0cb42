/** Who may talk to this installation: whom its variables name, and whom somebody has admitted. */
import { getChannel } from "../../../shared/channels/index.ts";
import type { Place } from "../../../shared/channels/channel.ts";
import type { InboundEvent } from "../../../shared/contracts/inbound.ts";
import type { NewInbound } from "../../../shared/store/inbound.ts";
import { readRoles, type KnownRole } from "../../../shared/store/people.ts";
import type { Env } from "../env.ts";

export type Access =
  | { kind: "admitted"; isAdmin: boolean }
  /** Nobody has heard of them: they are told how to be admitted, once. */
  | { kind: "stranger" }
  /** Someone who may, in a group that nobody has admitted: members are told so, once, and admins may change it. */
  | { kind: "member_in_strange_group" }
  | { kind: "admin_in_strange_group" }
  | { kind: "refused"; reason: string };

export interface ReadInbound {
  readonly inbound: NewInbound;
  readonly event: InboundEvent;
}

/** Decides for each. Reads the list only for those whom the variables do not name. */
export async function readAccess(
  env: Env,
  events: readonly ReadInbound[],
): Promise<(one: ReadInbound) => Access> {
  const unnamed = events.filter(({ event }) => namedAs(env, event) === null);
  const known = new Map<string, ReadonlyMap<string, KnownRole>>();
  for (const one of unnamed) {
    const list = getListKey(one);
    if (known.has(list)) continue;
    const ids = unnamed
      .filter((other) => getListKey(other) === list)
      .flatMap(({ event }) => [locate(event).chatId, event.sender.id]);
    const { channel } = one.event.address;
    const asked = { tenantId: one.inbound.tenant_id, channel, ids: [...new Set(ids)] };
    known.set(list, await readRoles(env.DB, asked));
  }
  return (one) => {
    const as = namedAs(env, one.event);
    if (as !== null) return { kind: "admitted", isAdmin: as === "person" };
    return decideAccess(one.event, known.get(getListKey(one)) ?? new Map());
  };
}

/** Whose list of people an event is looked for in. */
const getListKey = ({ inbound, event }: ReadInbound) =>
  JSON.stringify([inbound.tenant_id, event.address.channel]);

export function locate({ address }: InboundEvent): Place {
  return getChannel(address.channel).locate(address);
}

/** Whoever is named by their own id runs this installation, or is trusted by whoever does: as an admin. */
function namedAs(env: Env, event: InboundEvent): "person" | "chat" | null {
  const allowed: unknown = Reflect.get(env, getChannel(event.address.channel).allowList);
  const named = typeof allowed === "string" ? allowed.split(",").map((id) => id.trim()) : [];
  const { chatId } = locate(event);
  // Who speaks in the name of the group is anybody who may: no rights of the person's own.
  const isAnonymous = event.isGroup && event.sender.id === chatId;
  if (named.includes(event.sender.id) && !isAnonymous) return "person";
  return named.includes("*") || named.includes(chatId) ? "chat" : null;
}

function decideAccess(event: InboundEvent, roles: ReadonlyMap<string, KnownRole>): Access {
  const { chatId } = locate(event);
  const [person, chat] = [roles.get(event.sender.id), roles.get(chatId)];
  if (event.isGroup) {
    // A role that somebody gave a group is nobody's in it.
    const isAdmin = person === "admin" && event.sender.id !== chatId;
    if (chat === "member" || chat === "admin") return { kind: "admitted", isAdmin };
    if (isAdmin) return { kind: "admin_in_strange_group" };
    if (person === "member" && chat === undefined) return { kind: "member_in_strange_group" };
    const reason = `the group ${chatId} is not admitted: an admin of ours may send /admit there`;
    return { kind: "refused", reason };
  }
  if (person === "member" || person === "admin") return { kind: "admitted", isAdmin: person === "admin" };
  return person === undefined
    ? { kind: "stranger" }
    : { kind: "refused", reason: `person ${event.sender.id} is not admitted, and was told how to be` };
}
