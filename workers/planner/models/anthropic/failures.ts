/** What a failure of the Messages API means: later, never, or not so. */
import { APIError } from "@anthropic-ai/sdk/core/error";
import { readTimings } from "../../../../shared/config.ts";
import {
  misconfigured,
  permanent,
  type Permanent,
  describeError,
  transient,
  type Transient,
} from "../../../../shared/errors.ts";
import { RedirectError } from "../../../../shared/fetch.ts";
import { redact } from "../../../../shared/log.ts";
import { toOneLine } from "../../../../shared/text.ts";
import { explainGatewayFailure } from "../gateway.ts";
import type { Refused } from "../model.ts";
import type { AnthropicSettings } from "./protocol.ts";

const REASON_CHARS_MAX = 300;
const RETRY_MS_MIN = 1_000;

/** By status: an error of a gateway has no type. */
export function classifyFailure(error: unknown, env: AnthropicSettings): Transient | Permanent | Refused {
  // Half a body does not parse.
  if (!(error instanceof APIError)) return transient("the model's answer could not be read to its end");
  if (error.cause instanceof RedirectError)
    return misconfigured(`${error.cause.message}: check ANTHROPIC_BASE_URL`);
  const { retry_after_ms_max } = readTimings(env);
  const { status, apiMessage } = error;
  // The connection was refused, cut or timed out.
  if (status === undefined)
    return transient(`the model cannot be reached (${clean(describeError(error), env)})`);
  const said = clean(apiMessage ?? `HTTP ${status}`, env);
  const retryAfterMs = parseRetryAfterMs(error.headers);
  const isLimit = status === 429;
  // A limit that passes says when; a spending limit does not pass.
  if (isLimit && retryAfterMs === undefined) return permanent(`the model's limit is used up (${said})`);
  if (isLimit || status >= 500 || status === 408 || status === 409) {
    if (retryAfterMs === undefined || retryAfterMs <= retry_after_ms_max)
      return transient(`the model answered ${status} (${said})`, retryAfterMs);
    return permanent(`the model asks to wait for ${Math.round(retryAfterMs / 60_000)} minutes (${said})`);
  }
  const gateway = explainGatewayFailure(error.error);
  if (gateway !== null) return misconfigured(gateway);
  if (status === 404)
    return misconfigured(
      `there is no such model, or no such address (${said}): check ANTHROPIC_MODEL and ANTHROPIC_BASE_URL`,
    );
  if (status === 401 || status === 403)
    return misconfigured(
      "the model refuses the key: check ANTHROPIC_API_KEY, or AI_GATEWAY_TOKEN for a gateway",
    );
  return { kind: "refused", reason: `the model refused the request (${said})` };
}

/** Seconds, or a date. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function parseRetryAfterMs(headers: Headers | undefined): number | undefined {
  const value = headers?.get("retry-after") ?? "";
  const ms = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  // Who says "at once" has said so to everybody.
  return Number.isNaN(ms) ? undefined : Math.max(Math.round(ms), RETRY_MS_MIN);
}

/** A server may repeat what it was sent, and these words are shown to people. Cleaned before they are cut: half a secret is one. */
function clean(
  words: string,
  { ANTHROPIC_API_KEY: key, AI_GATEWAY_TOKEN: token }: AnthropicSettings,
): string {
  const withoutSecrets = [key, token].reduce<string>(
    (text, secret) => (secret ? text.replaceAll(secret, "[redacted]") : text),
    redact(words),
  );
  return toOneLine(withoutSecrets, REASON_CHARS_MAX);
}
