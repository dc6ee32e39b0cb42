/** One JSON line per effect, redacted. The field names are a public contract: dashboards and alerts read them. */

import { CHANNELS } from "./channels/index.ts";

export interface LogFields {
  stage: "ingress" | "planner" | "executor" | "notifier" | "runner" | "hands";
  /** What was done, in a word or two: "accepted", "turn", "call", "edited". */
  effect: string;
  session_id?: string;
  task_id?: string;
  provider?: string;
  model?: string;
  latency_ms?: number;
  tokens_used?: number;
  /** What went wrong, or what a person should know. */
  detail?: string;
  [fact: string]: string | number | boolean | null | undefined;
}

export type LogLevel = "info" | "warn" | "error";

let version: string | undefined;

/** Every line says which version of the code has written it, from now on. */
export function nameVersion(name: string): void {
  version = name;
}

export function log(level: LogLevel, fields: LogFields): void {
  const line = redact(JSON.stringify({ timestamp: new Date().toISOString(), level, version, ...fields }));
  if (level === "error") console.error(line);
  else if (level === "warn") console.warn(line);
  else console.log(line);
}

/** Shapes of secrets that must never be seen, wherever they turn up: in a URL, in an error's words, in a header. */
const SECRETS = [
  ...CHANNELS.flatMap(({ secretShapes }) => secretShapes),
  /\berrand_[a-z0-9-]+_[\w-]{20,}/g, // our API keys
  /\bwhsec_[\w+/=-]{20,}/g, // secrets of webhooks
  /\/\/[0-9a-f]{20,}(?::\w+)?@/g, // keys of error trackers
  /\bxox[abep]-[\w-]{10,}/g, // tokens of workspaces
  /\bsk-[\w-]{16,}/g, // keys of most model providers
  /\b(?:Bearer|Bot) [\w.~+/=-]{16,}/g,
];

export function redact(text: string): string {
  return SECRETS.reduce((clean, secret) => clean.replace(secret, "[redacted]"), text);
}
