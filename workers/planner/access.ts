/** Who may talk to this installation. */
import type { InboundEvent } from "../../shared/contracts/inbound.ts";
import type { Env } from "./env.ts";

/** Null when the sender may talk, else why not, with what to change. An unset list admits nobody. */
export function mayTalk(env: Env, { channel, sender, address }: InboundEvent): string | null {
  switch (channel) {
    case "telegram": {
      const allowed = (env.TELEGRAM_ALLOWED_USERS ?? "").split(",").map((id) => id.trim());
      if (["*", sender.id, address.chatId].some((id) => allowed.includes(id))) return null;
      return `Telegram user ${sender.id} is not in TELEGRAM_ALLOWED_USERS, nor is the chat ${address.chatId}`;
    }
  }
}
