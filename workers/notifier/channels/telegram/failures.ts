/** What a refusal of the Bot API means. https://core.telegram.org/bots/api#making-requests: errors have a code and a description, and no finer name. */
import { GrammyError, HttpError } from "grammy";
import { describeError } from "../../../../shared/errors.ts";
import { RedirectError } from "../../../../shared/fetch.ts";
import { redact } from "../../../../shared/log.ts";
import type { Failed, Sent } from "../client.ts";

const GONE = ["message to edit not found", "message can't be edited"];

export async function tryCall<Value>(work: () => Promise<Value>): Promise<Sent<Value>> {
  try {
    return { kind: "ok", value: await work() };
  } catch (error) {
    return classifyFailure(error);
  }
}

function classifyFailure(error: unknown): Failed {
  // The words of other errors may hold the URL, and the URL holds the token.
  const reason = redact(describeError(error));
  const isRedirect =
    error instanceof RedirectError || (error instanceof HttpError && error.error instanceof RedirectError);
  if (isRedirect) return { kind: "misconfigured", reason: `${reason}: check TELEGRAM_API_BASE` };
  if (error instanceof RangeError) return { kind: "undeliverable", reason };
  if (!(error instanceof GrammyError)) return { kind: "doubt", reason };
  const { error_code: code, parameters } = error;
  if (code === 429) {
    return { kind: "later", reason, retryAfterMs: (parameters.retry_after ?? 1) * 1_000, rateLimited: true };
  }
  // A gateway in between does not know whether the call went through.
  if (code === 502 || code === 504) return { kind: "doubt", reason };
  if (code >= 500) return { kind: "later", reason, rateLimited: false };
  // A token that is malformed or revoked.
  if (code === 401 || code === 404) {
    return {
      kind: "misconfigured",
      reason: `TELEGRAM_BOT_TOKEN is refused by the Bot API (${error.description})`,
    };
  }
  if (GONE.some((words) => says(error, words))) return { kind: "gone", reason };
  return { kind: "undeliverable", reason };
}

/** Does something else where the platform refuses the content, or does not know the method. */
export function ifRefused<Value>(other: () => Promise<Value>): (error: unknown) => Promise<Value> {
  return (error) => {
    const isUnknown = error instanceof GrammyError && [404, 413].includes(error.error_code);
    if (isUnknown || isAboutContent(error)) return other();
    throw error;
  };
}

/** Other refusals of a request are about what was to be shown. */
export function isAboutContent(error: unknown): boolean {
  const known = [
    ...GONE,
    "message is not modified",
    "chat not found",
    "user not found",
    "upgraded to a supergroup",
  ];
  return (
    error instanceof GrammyError && error.error_code === 400 && !known.some((words) => says(error, words))
  );
}

export function unlessNotModified(error: unknown): true {
  if (says(error, "message is not modified")) return true;
  throw error;
}

export function says(error: unknown, words: string): boolean {
  return error instanceof GrammyError && error.description.toLowerCase().includes(words);
}
