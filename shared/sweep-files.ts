/** Files in R2 that nothing names any more are deleted, a part of the bucket each hour and all of it each day. */
import { LIMITS, type Timings } from "./limits.ts";
import { FILES_PREFIX } from "./files.ts";
import { listUnnamed } from "./store/file-references.ts";

const HOUR_MS = 3_600_000;
const HOURS = 24;
/** Has no divisor in common with the hours of a day. */
const SHIFT_A_DAY = 5;
/** Hashes are spread evenly: by their first two digits they are in so many equal parts. */
const PARTS = 256;

interface Stores {
  readonly db: D1Database;
  readonly bucket: R2Bucket;
}

/**
 * Deletes what was not kept anew for `file_kept_ms` and is named by nothing. Returns how many. Each hour is for one part in 24, and each
 * day they begin elsewhere: also a machine that is on for some hours a day comes to all of them.
 */
export async function sweepFiles(stores: Stores, now: number, timings: Timings): Promise<number> {
  const hour = Math.floor(now / HOUR_MS);
  const turn = (hour + SHIFT_A_DAY * Math.floor(hour / HOURS)) % HOURS;
  let swept = 0;
  for (let part = 0; part < PARTS; part++)
    if (Math.floor((part * HOURS) / PARTS) === turn)
      swept += await sweepPart(stores, part.toString(16).padStart(2, "0"), now - timings.file_kept_ms);
  return swept;
}

async function sweepPart({ db, bucket }: Stores, digits: string, before: number): Promise<number> {
  const list = async (cursor: string | undefined) => {
    const listed = await bucket.list({
      prefix: `${FILES_PREFIX}${digits}`,
      ...(cursor !== undefined && { cursor }),
    });
    const old = listed.objects.filter(({ uploaded }) => uploaded.getTime() < before);
    return { old: old.map(({ key }) => key), next: listed.truncated ? listed.cursor : undefined };
  };
  let swept = 0;
  let cursor: string | undefined;
  for (let page = 0; page < LIMITS.sweep_pages_max; page++) {
    const { old, next } = await list(cursor);
    const unnamed =
      old.length === 0
        ? []
        : await listUnnamed(
            db,
            old.map((key) => key.slice(FILES_PREFIX.length)),
          );
    if (unnamed.length > 0) {
      // Whoever keeps the same content puts it again, before it is named: it is not old then.
      const stillOld = new Set((await list(cursor)).old);
      const doomed = unnamed.map((sha256) => `${FILES_PREFIX}${sha256}`).filter((key) => stillOld.has(key));
      await bucket.delete(doomed);
      swept += doomed.length;
    }
    if (next === undefined) break;
    cursor = next;
  }
  return swept;
}
