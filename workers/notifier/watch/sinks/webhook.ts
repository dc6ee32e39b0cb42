/** A webhook that is signed. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
import { Webhook } from "standardwebhooks";
import { fetchDirect } from "../../../../shared/fetch.ts";
import { deriveId } from "../../../../shared/ids.ts";
import { readAnswer, type Sink } from "./sink.ts";

export const webhook: Sink = {
  name: "webhook",
  isConfigured: ({ ERRAND_ALERT_URL: url }) => Boolean(url),
  async tell(env, { kind, subject, revision, state, created_at }, words, { platform_call_ms }) {
    const { ERRAND_ALERT_URL: url = "", ERRAND_ALERT_SECRET: secret } = env;
    if (!secret)
      return {
        kind: "refused",
        reason: "ERRAND_ALERT_SECRET is not set: nobody is told without a signature",
      };
    const at = new Date(created_at);
    const data = { installation: env.INSTALLATION ?? null, kind, subject, ...words };
    const body = JSON.stringify({ type: `alert.${state}`, timestamp: at.toISOString(), data });
    // The same for the same telling: a receiver that has seen it knows it again.
    const id = await deriveId("alert", kind, subject, String(revision));
    const sentAt = new Date();
    const response = await fetchDirect(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": String(Math.floor(sentAt.getTime() / 1_000)),
        "webhook-signature": new Webhook(secret).sign(id, sentAt, body),
      },
      body,
      signal: AbortSignal.timeout(platform_call_ms),
    });
    await response.body?.cancel();
    return readAnswer(response, "ERRAND_ALERT_URL");
  },
};
