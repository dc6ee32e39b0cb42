/** An error tracker that speaks Sentry's protocol. https://develop.sentry.dev/sdk/data-model/envelopes/ */
import { fetchDirect } from "../../../../shared/fetch.ts";
import { sha256Hex } from "../../../../shared/ids.ts";
import { readVersion } from "../../../../shared/version.ts";
import { identify, isHttp, readAnswer, type Sink } from "./sink.ts";

const CLIENT = "errand/1";

export const errors: Sink = {
  name: "errors",
  variables: ["ERRAND_ERROR_DSN"],
  isConfigured: ({ ERRAND_ERROR_DSN: dsn }) => Boolean(dsn),
  async tell(env, notice, { where, title, detail, mend }, timings) {
    const { kind, subject, state, created_at } = notice;
    const dsn = parseDsn(env.ERRAND_ERROR_DSN ?? "");
    if (dsn === null)
      return { kind: "refused", reason: "it is no DSN, such as https://key@o1.ingest.sentry.io/2" };
    // The same for the same telling, by which a tracker knows it again: 32 hexadecimal digits.
    const eventId = (await sha256Hex(JSON.stringify(identify(env, notice)))).slice(0, 32);
    const event = {
      event_id: eventId,
      timestamp: created_at / 1_000,
      platform: "javascript",
      level: state === "firing" ? "error" : "info",
      logger: "errand.watch",
      release: readVersion(env),
      environment: env.INSTALLATION ?? "local",
      message: { formatted: `${state === "firing" ? "" : "Resolved: "}${where}: ${title}` },
      // One issue for each alert, however its words change.
      fingerprint: ["errand", env.INSTALLATION ?? "local", kind, subject],
      tags: { kind, subject, state },
      extra: { detail, mend },
    };
    const lines = [{ event_id: eventId, sent_at: new Date().toISOString() }, { type: "event" }, event];
    const response = await fetchDirect(dsn.endpoint, {
      method: "POST",
      headers: {
        "content-type": "application/x-sentry-envelope",
        "x-sentry-auth": `Sentry sentry_version=7, sentry_client=${CLIENT}, sentry_key=${dsn.key}`,
      },
      body: `${lines.map((line) => JSON.stringify(line)).join("\n")}\n`,
      signal: AbortSignal.timeout(timings.platform_call_ms),
    });
    await response.body?.cancel();
    return readAnswer(response);
  },
};

/** `https://key@host/path/project`. https://develop.sentry.dev/sdk/foundations/envelopes/dsn/ */
function parseDsn(dsn: string): { endpoint: string; key: string } | null {
  const url = URL.parse(dsn);
  const [, path = "", project = ""] = /^(.*)\/(\d+)$/.exec(url?.pathname ?? "") ?? [];
  if (url === null || !isHttp(dsn) || url.username === "" || project === "") return null;
  return { endpoint: `${url.origin}${path}/api/${project}/envelope/`, key: url.username };
}
