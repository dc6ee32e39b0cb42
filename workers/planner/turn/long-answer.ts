/** An answer that is too long to be shown: its beginning, and the whole as a file. */
import type { StoredFile } from "../../../shared/contracts/file.ts";
import type { Turn } from "../../../shared/contracts/turn.ts";
import { describeError } from "../../../shared/errors.ts";
import { keepFile } from "../../../shared/files.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { log } from "../../../shared/log.ts";
import { truncate } from "../../../shared/text.ts";

const MARKDOWN = { name: "answer.md", mime: "text/markdown; charset=utf-8" };

/** Keeps the whole in R2 before it is cut. What R2 does not take stays as it is: the notifier cuts it, and says so. */
export async function boundAnswer(
  bucket: R2Bucket,
  planned: Turn,
): Promise<{ planned: Turn; files: StoredFile[] }> {
  const { text, calls } = planned;
  if (calls.length > 0 || text.length <= LIMITS.answer_chars_max) return { planned, files: [] };
  const content = new TextEncoder().encode(text).slice();
  const file = await keepFile(bucket, { ...MARKDOWN, content }).catch((error: unknown) => {
    log("warn", { stage: "planner", effect: "answer not kept", detail: describeError(error) });
    return null;
  });
  if (file === null) return { planned, files: [] };
  const shown = truncate(text, LIMITS.answer_chars_max - ROOM_CHARS);
  return { planned: { ...planned, text: `${shown}\n\n… (the whole is attached)` }, files: [file] };
}

/** For what is said after the cut. */
const ROOM_CHARS = 100;
