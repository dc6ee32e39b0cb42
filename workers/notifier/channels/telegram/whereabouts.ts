/** Where a chat is now: groups migrate, and topics are deleted. */
import { GrammyError } from "grammy";
import type { AddressOf } from "../../../../shared/channels/index.ts";
import { says } from "./failures.ts";

type Thread = { message_thread_id?: number };

export class Whereabouts {
  private chatId: string;
  private thread: Thread;

  constructor({ chatId, threadId }: AddressOf<"telegram">) {
    this.chatId = chatId;
    this.thread = threadId === undefined ? {} : { message_thread_id: Number(threadId) };
  }

  /** Calls the chat where it was last; a refusal that tells where it is now is followed, once. */
  async reach<Value>(call: (chatId: string, thread: Thread) => Promise<Value>): Promise<Value> {
    try {
      return await call(this.chatId, this.thread);
    } catch (error) {
      if (!this.follow(error)) throw error;
      return call(this.chatId, this.thread);
    }
  }

  /** A group that has become a supergroup has another id, which the refusal names; a topic that is gone is answered beside it. */
  private follow(error: unknown): boolean {
    if ("message_thread_id" in this.thread && says(error, "message thread not found")) {
      this.thread = {};
      return true;
    }
    const movedTo = error instanceof GrammyError ? error.parameters.migrate_to_chat_id : undefined;
    if (movedTo === undefined || String(movedTo) === this.chatId) return false;
    this.chatId = String(movedTo);
    return true;
  }
}
