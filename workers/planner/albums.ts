/** Albums come in parts, moments apart: they are read when no more parts come, and whatever was said after them waits too. */
import type { InboundEvent } from "../../shared/contracts/inbound.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { NewInbound } from "../../shared/store/inbound.ts";

export interface Parsed {
  inbound: NewInbound;
  parsed: { success: true; data: InboundEvent } | { success: false };
}

/** What can be read now, and how long the rest waits, by the ids of the inbound. */
export function withoutYoungAlbums<One extends Parsed>(
  all: readonly One[],
  albumMs: number,
  now: number,
): { read: One[]; again: ReadonlyMap<string, number> } {
  const read: One[] = [];
  const again = new Map<string, number>();
  const waits = new Map<string, number>();
  for (const one of all) {
    const conversation = one.inbound.conversation_id;
    const waitMs = waits.get(conversation) ?? youthOf(albumOf(one, all), albumMs, now);
    if (waitMs <= 0) read.push(one);
    else {
      waits.set(conversation, waitMs);
      again.set(one.inbound.id, waitMs);
    }
  }
  return { read, again };
}

function albumOf(one: Parsed, all: readonly Parsed[]): readonly Parsed[] {
  const albumId = one.parsed.success ? one.parsed.data.albumId : undefined;
  if (albumId === undefined) return [];
  return all.filter(
    ({ inbound, parsed }) =>
      inbound.conversation_id === one.inbound.conversation_id &&
      parsed.success &&
      parsed.data.albumId === albumId,
  );
}

/** How long until nobody waits for another part; 0 when it is whole. */
function youthOf(parts: readonly Parsed[], albumMs: number, now: number): number {
  if (parts.length === 0 || parts.length >= LIMITS.album_parts_max) return 0;
  return Math.max(...parts.map(({ inbound }) => inbound.received_at)) + albumMs - now;
}
