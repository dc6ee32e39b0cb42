/** Files in R2 that nothing names any more are deleted, a part of the bucket each hour and all of it each day. */
import { LIMITS, type Timings } from "./limits.ts";
import { FILES_PREFIX } from "./files.ts";
import { listUnnamed } from "./store/file-references.ts";

const HOUR_MS = 3_600_000;
const HOURS = 24;
/** Hashes are spread evenly: by their first two digits they are in so many equal parts. */
const PARTS = 256;

interface Stores {
  readonly db: D1Database;
  readonly bucket: R2Bucket;
}

/** Deletes what was not kept anew for `file_kept_ms` and is named by nothing. Returns how many. Done at any hour, it is the part of that hour. */
export async function sweepFiles(stores: Stores, now: number, timings: Timings): Promise<number> {
  const hour = Math.floor(now / HOUR_MS) % HOURS;
  let swept = 0;
  for (let part = 0; part < PARTS; part++)
    if (Math.floor((part * HOURS) / PARTS) === hour)
      swept += await sweepPart(stores, part.toString(16).padStart(2, "0"), now - timings.file_kept_ms);
  return swept;
}

async function sweepPart({ db, bucket }: Stores, digits: string, before: number): Promise<number> {
  let swept = 0;
  let cursor: string | undefined;
  for (let page = 0; page < LIMITS.sweep_pages_max; page++) {
    const prefix = `${FILES_PREFIX}${digits}`;
    const listed = await bucket.list({ prefix, ...(cursor !== undefined && { cursor }) });
    const old = listed.objects.filter(({ uploaded }) => uploaded.getTime() < before);
    const hashes = old.map(({ key }) => key.slice(FILES_PREFIX.length));
    for (const sha256 of hashes.length === 0 ? [] : await listUnnamed(db, hashes)) {
      // Whoever keeps the same content puts it again, before it is named: it is not old then.
      const found = await bucket.head(`${FILES_PREFIX}${sha256}`);
      if (found === null || found.uploaded.getTime() >= before) continue;
      await bucket.delete(found.key);
      swept++;
    }
    if (!listed.truncated) break;
    cursor = listed.cursor;
  }
  return swept;
}
