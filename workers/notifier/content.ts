/** What is to be shown of a reply, in Markdown: its answer, or how far it is. */
import type { StoredFile } from "../../shared/contracts/file.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { Reply } from "../../shared/store/lease-reply.ts";
import { makeStopButton } from "../../shared/strings.ts";
import { truncate } from "../../shared/text.ts";
import type { AnyClient, Button } from "./channels/client.ts";

/** The parts of the answer; of progress, the first. */
export function renderParts(
  { final, text, created_at, buttons, is_waiting }: Reply,
  client: AnyClient,
): readonly [unknown, ...unknown[]] {
  if (final === 1 || buttons !== null) return client.render(cut(text));
  // It stays so until somebody decides: nothing counts the hours.
  if (is_waiting === 1) return [client.render(`🙋 ${text}`)[0]];
  const seconds = Math.round((Date.now() - created_at) / 1_000);
  const said = text === "" ? "Working" : latest(text, LIMITS.progress_chars_max);
  const [first] = client.render(`⏳ ${seconds} s\n\n${said}`);
  return [first];
}

/** What goes with the answer, after its words. */
export function listFiles({ final, artifacts }: Reply): readonly StoredFile[] {
  return final === 1 ? artifacts : [];
}

/** What runs can be stopped where it is seen, and what is asked can be answered there, until it is. */
export function listButtons({ id, final, buttons }: Reply): readonly Button[] {
  if (final === 1) return [];
  return buttons ?? [makeStopButton(id)];
}

/** Of what is being said, the newest is what people read along. */
function latest(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : `… ${text.slice(-charsMax).toWellFormed()}`;
}

function cut(text: string): string {
  if (text.length <= LIMITS.answer_chars_max) return text;
  const kept = truncate(text, LIMITS.answer_chars_max);
  return `${kept}\n\n… (${text.length - kept.length} more characters were cut)`;
}
