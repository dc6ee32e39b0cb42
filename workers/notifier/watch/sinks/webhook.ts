/** A webhook that is signed. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
import { Webhook } from "standardwebhooks";
import { fetchDirect } from "../../../../shared/fetch.ts";
import { deriveId } from "../../../../shared/ids.ts";
import { identify, isHttp, readAnswer, type Sink } from "./sink.ts";

export const webhook: Sink = {
  name: "webhook",
  variables: ["ERRAND_ALERT_URL", "ERRAND_ALERT_SECRET"],
  isConfigured: ({ ERRAND_ALERT_URL: url }) => Boolean(url),
  async tell(env, notice, words, { platform_call_ms }) {
    const { kind, subject, state, created_at } = notice;
    const { ERRAND_ALERT_URL: url = "", ERRAND_ALERT_SECRET: secret = "" } = env;
    const signer = openSigner(secret);
    if (!isHttp(url)) return { kind: "refused", reason: "it is no address of http or https" };
    if (signer === null)
      return { kind: "refused", reason: "without a secret nobody is told: whsec_ and base64" };
    const at = new Date(created_at);
    const data = { installation: env.INSTALLATION ?? null, kind, subject, ...words };
    const body = JSON.stringify({ type: `alert.${state}`, timestamp: at.toISOString(), data });
    // The same for the same telling: a receiver that has seen it knows it again.
    const id = await deriveId("alert", ...identify(env, notice));
    const sentAt = new Date();
    const response = await fetchDirect(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": String(Math.floor(sentAt.getTime() / 1_000)),
        "webhook-signature": signer.sign(id, sentAt, body),
      },
      body,
      signal: AbortSignal.timeout(platform_call_ms),
    });
    await response.body?.cancel();
    return readAnswer(response);
  },
};

function openSigner(secret: string): Webhook | null {
  try {
    return new Webhook(secret);
  } catch {
    return null;
  }
}
