/** Albums come in parts, moments apart: they are read when no more parts come, and whatever was said after them waits too. */
import type { InboundEvent } from "../../../shared/contracts/inbound.ts";
import { LIMITS } from "../../../shared/limits.ts";
import type { NewInbound } from "../../../shared/store/inbound.ts";

export interface Parsed {
  readonly inbound: NewInbound;
  /** Null: what was stored is not of the inbound contract. */
  readonly event: InboundEvent | null;
}

/** What can be read now, and how long the rest waits, by the ids of the inbound. */
export function holdYoungAlbums(
  all: readonly Parsed[],
  albumMs: number,
  now: number,
): { read: Parsed[]; again: ReadonlyMap<string, number> } {
  const read: Parsed[] = [];
  const again = new Map<string, number>();
  const waits = new Map<string, number>();
  for (const one of all) {
    const conversation = one.inbound.conversation_id;
    const waitMs = waits.get(conversation) ?? measureYouth(findParts(one, all), albumMs, now);
    if (waitMs <= 0) read.push(one);
    else {
      waits.set(conversation, waitMs);
      again.set(one.inbound.id, waitMs);
    }
  }
  return { read, again };
}

/** The album that an event is a part of, in its conversation; null when it is none. */
export function getAlbum({ inbound, event }: Parsed): string | null {
  if (event === null || !("albumId" in event)) return null;
  return `${inbound.conversation_id} ${event.albumId}`;
}

function findParts(one: Parsed, all: readonly Parsed[]): readonly Parsed[] {
  const album = getAlbum(one);
  return album === null ? [] : all.filter((other) => getAlbum(other) === album);
}

/** How long until nobody waits for another part; 0 when it is whole. */
function measureYouth(parts: readonly Parsed[], albumMs: number, now: number): number {
  if (parts.length === 0 || parts.length >= LIMITS.album_parts_max) return 0;
  return Math.max(...parts.map(({ inbound }) => inbound.received_at)) + albumMs - now;
}
