/** Who may talk to this installation: whom its variables name, and whom somebody has admitted. */
import { type ChatChannelName, getChannel } from "../../shared/channels/index.ts";
import type { ChannelName } from "../../shared/contracts/channel.ts";
import type { Place } from "../../shared/channels/channel.ts";
import type { InboundEvent } from "../../shared/contracts/inbound.ts";
import { resolveCommand } from "../../shared/contracts/tools/index.ts";
import type { NewInbound } from "../../shared/store/inbound.ts";
import { readRoles, type KnownRole } from "../../shared/store/people.ts";
import type { Env } from "./env.ts";

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

/** Decides for each. Reads the list only for those whom the variables do not name, and where it matters whether somebody is an admin. */
export async function readAccess(
  env: Env,
  events: readonly ReadInbound[],
): Promise<(one: ReadInbound) => Access> {
  const unnamed = events.filter((one) => {
    const as = namedAs(env, one.event);
    return as === null || (as === "chat" && mayDecide(one));
  });
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
    const roles = known.get(getListKey(one)) ?? new Map<string, KnownRole>();
    if (as === null) return decideAccess(one.event, roles);
    return { kind: "admitted", isAdmin: as === "person" || isAdminBy(roles, one.event) };
  };
}

/** Whether it could be something that admins alone may do. */
function mayDecide({ inbound, event }: ReadInbound): boolean {
  if (event.kind === "command") return resolveCommand(event.command) === null;
  return event.kind === "callback" || inbound.waits !== null;
}

/** A role that somebody gave a group is nobody's in it. */
function isAdminBy(roles: ReadonlyMap<string, KnownRole>, event: InboundEvent): boolean {
  const { id } = event.sender;
  return roles.get(id) === "admin" && !(event.isGroup && id === locate(event).chatId);
}

/** Whose list of people an event is looked for in. */
const getListKey = ({ inbound, event }: ReadInbound) =>
  JSON.stringify([inbound.tenant_id, event.address.channel]);

export function locate({ address }: InboundEvent): Place {
  return getChannel(address.channel).locate(address);
}

/** Whoever is named by their own id runs this installation, or is trusted by whoever does: as an admin. */
function namedAs(env: Env, event: InboundEvent): "person" | "chat" | null {
  const named = readAllowed(env, event.address.channel);
  const { chatId } = locate(event);
  // Who speaks in the name of the group is anybody who may: no rights of the person's own.
  const isAnonymous = event.isGroup && event.sender.id === chatId;
  if (named.includes(event.sender.id) && !isAnonymous) return "person";
  return named.includes("*") || named.includes(chatId) ? "chat" : null;
}

/** Whether a person by whom a task was begun is an admin. A group and an API key are not. */
export async function isAdminPerson(
  env: Env,
  { tenantId, channel, sender }: { tenantId: string; channel: ChannelName; sender: string | null },
): Promise<boolean> {
  const id = sender?.slice(channel.length + 1) ?? "";
  if (channel === "api" || !getChannel(channel).personId.test(id)) return false;
  if (readAllowed(env, channel).includes(id)) return true;
  const roles = await readRoles(env.DB, { tenantId, channel, ids: [id] });
  return roles.get(id) === "admin";
}

function readAllowed(env: Env, channel: ChatChannelName): string[] {
  const allowed: unknown = Reflect.get(env, getChannel(channel).allowList);
  return typeof allowed === "string" ? allowed.split(",").map((id) => id.trim()) : [];
}

function decideAccess(event: InboundEvent, roles: ReadonlyMap<string, KnownRole>): Access {
  const { chatId } = locate(event);
  const [person, chat] = [roles.get(event.sender.id), roles.get(chatId)];
  if (event.isGroup) {
    const isAdmin = isAdminBy(roles, event);
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
