/** A chat of the installation's own: an alert there is a reply to nobody, shown exactly once as any other. */
import { parsePlace } from "../../../../shared/channels/index.ts";
import { deriveId } from "../../../../shared/ids.ts";
import { ring } from "../../../../shared/queue/doorbell.ts";
import { tellChat } from "../../../../shared/store/tell-chat.ts";
import { formatCode } from "../../../../shared/text.ts";
import { getBells } from "../../env.ts";
import type { Sink } from "./sink.ts";

const NAME = "chat";
const TENANT = "default";

export const chat: Sink = {
  name: NAME,
  isConfigured: ({ ERRAND_ALERT_CHAT: place }) => Boolean(place),
  async tell(env, notice, { where, title, detail, mend }, timings) {
    const place = env.ERRAND_ALERT_CHAT ?? "";
    const address = parsePlace(place);
    if (address === null)
      return {
        kind: "refused",
        reason: "ERRAND_ALERT_CHAT names no chat: write it as `npm run people -- list` does",
      };
    const { kind, subject, revision, state } = notice;
    const sign = state === "firing" ? "🔴" : "🟢 Resolved:";
    const text = [`${sign} **${where}**: ${title}.`, formatCode(detail), mend].filter(Boolean).join("\n\n");
    const replyId = await deriveId("alert", place, kind, subject, String(revision));
    const conversationId = await deriveId("conv", TENANT, "alerts", place);
    const said = { replyId, tenantId: TENANT, conversationId, address, text };
    const doorbells = await tellChat(env.DB, notice, NAME, said, Date.now(), timings);
    await ring(getBells(env), doorbells, "notifier");
    return { kind: "told" };
  },
};
