/** A person on Telegram, which is a fake on this machine. */
import { TelegramServer } from "../../fakes/telegram-server.ts";
import type { Say } from "./say.ts";

const SECRET = "demo-secret";
const CHAT = 424_242;

export class Person {
  private readonly telegram = new TelegramServer();

  /** The settings by which the pipeline serves them. */
  async settings(): Promise<Record<string, string>> {
    return {
      TELEGRAM_BOT_TOKEN: this.telegram.token,
      TELEGRAM_WEBHOOK_SECRET: SECRET,
      TELEGRAM_ALLOWED_USERS: "*",
      TELEGRAM_API_BASE: await this.telegram.listen(),
    };
  }

  /** Asks, and waits for the answer; the message that answers is created with its first words and edited to the whole. */
  async ask(url: string, question: string, say: Say): Promise<void> {
    const answered = new Promise<void>((resolve) => {
      this.telegram.onShown = ({ text, edits }) => {
        say("errand", edits === 0 ? `${text}   (a new message)` : `${text}   (the same message, edited)`);
        if (!text.endsWith(" …") && !text.startsWith("⏳")) resolve();
      };
    });
    say("Ada", question);
    const from = { id: CHAT, is_bot: false, first_name: "Ada" };
    const message = { message_id: 1, date: 1, from, chat: { id: CHAT, type: "private" }, text: question };
    const response = await fetch(`${url}/hooks/telegram`, {
      method: "POST",
      headers: { "x-telegram-bot-api-secret-token": SECRET },
      body: JSON.stringify({ update_id: 1, message }),
    });
    say("errand", `${response.status}: taken`);
    await answered;
  }

  close(): Promise<void> {
    return this.telegram.close();
  }
}
