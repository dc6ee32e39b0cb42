/** A chat of the installation's own: an alert there is a reply to nobody, shown exactly once as any other. */
import { parsePlace } from "../../../../shared/channels/index.ts";
import { deriveId } from "../../../../shared/ids.ts";
import { ring } from "../../../../shared/queue/doorbell.ts";
import { tellChat } from "../../../../shared/store/tell-chat.ts";
import { formatCode } from "../../../../shared/text.ts";
import { adapters } from "../../channels/index.ts";
import { getBells } from "../../env.ts";
import { identify, type Sink } from "./sink.ts";

const NAME = "chat";
const TENANT = "default";

export const chat: Sink = {
  name: NAME,
  variables: ["ERRAND_ALERT_CHAT"],
  isConfigured: ({ ERRAND_ALERT_CHAT: place }) => Boolean(place),
  async tell(env, notice, { where, title, detail, mend }, timings) {
    const place = env.ERRAND_ALERT_CHAT ?? "";
    const address = parsePlace(place);
    if (address === null)
      return {
        kind: "refused",
        reason: "it names no chat: write it as `npm run people -- list` does",
      };
    if (Date.now() - notice.created_at > timings.reply_kept_ms)
      return { kind: "refused", reason: "it could not be shown for a day" };
    const client = adapters[address.channel].open(env, { address, answersId: null }, timings);
    if ("kind" in client) return { kind: "later", reason: client.reason };
    const sign = notice.state === "firing" ? "🔴" : "🟢 Resolved:";
    const text = [`${sign} **${where}**: ${title}.`, formatCode(detail), mend].filter(Boolean).join("\n\n");
    const replyId = await deriveId("alert", place, ...identify(env, notice));
    const conversationId = await deriveId("conv", TENANT, "alerts", place);
    const said = { replyId, tenantId: TENANT, conversationId, address, text };
    const { doorbells, outcome } = await tellChat(env.DB, notice, NAME, said, Date.now(), timings);
    await ring(getBells(env), doorbells, "notifier");
    // Told is what is shown; until then what comes after it waits.
    if (outcome.state === "open") return { kind: "underway" };
    if (outcome.state === "delivered") return { kind: "told" };
    return { kind: "refused", reason: outcome.reason ?? "the chat cannot be reached" };
  },
};
