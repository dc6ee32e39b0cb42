/** Which version of the code a Worker is. https://developers.cloudflare.com/workers/runtime-apis/bindings/version-metadata/ */
import { describeError } from "./errors.ts";
import { log, type LogFields, nameVersion } from "./log.ts";
import { noteSign } from "./store/signs.ts";

export interface Versioned {
  readonly DB: D1Database;
  /** `tag` is the hash of code and configuration where a deploy gave one. Not there in some tests. */
  readonly VERSION?: { readonly id: string; readonly tag: string };
}

/** What an isolate has said already. */
let said: string | null = null;

export function readVersion({ VERSION }: Pick<Versioned, "VERSION">): string | null {
  return VERSION === undefined ? null : VERSION.tag || VERSION.id;
}

/** Once for each isolate: names the version in its log lines, and has the database know that it is there. Never fails. */
export function announceVersion(
  env: Versioned,
  stage: LogFields["stage"],
  waitUntil: (work: Promise<void>) => void,
): void {
  const version = readVersion(env);
  if (version === null || said === version) return;
  said = version;
  nameVersion(version);
  const noted = noteSign(env.DB, { name: stage, version, now: Date.now() }).catch((error: unknown) =>
    log("warn", { stage, effect: "announced", detail: describeError(error) }),
  );
  waitUntil(noted);
}
