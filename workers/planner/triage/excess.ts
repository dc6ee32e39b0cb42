/**
 * Bounds at acceptance: what a conversation may leave unread, and how many tasks a person may have under way. Whatever is beyond is
 * refused in words. They are counted before the batch that writes, so two triages at once may together pass a little more.
 */
import { LIMITS } from "../../../shared/limits.ts";
import type { Decision, DecisionOf } from "../../../shared/store/decision.ts";

const UNREAD =
  "⚠️ I have not read your last messages yet, so I did not take this one. Wait for an answer, or /stop what I do, and send it again.";
const TOO_MANY = `⚠️ You have ${LIMITS.active_tasks_per_person_max} tasks under way, and nobody may have more. Wait for one of them, or /stop it, and send this again.`;

/** The decisions, with a reply in the place of each message that is too much. */
export function refuseExcess(decisions: readonly Decision[]): Decision[] {
  const counts = new Counts();
  return decisions.map((decision) => {
    if (decision.kind !== "message") return decision;
    const text = counts.add(decision);
    if (text === null) return decision;
    const { inbound, address, channel, externalId } = decision;
    return { kind: "reply", inbound, address, channel, externalId, text };
  });
}

interface Waiting {
  unread: number;
  chars: number;
  isActive: boolean;
}

/** What was there before the batch, and what the batch adds. */
class Counts {
  private readonly conversations = new Map<string, Waiting>();
  private readonly begun = new Map<string, number>();

  /** Counts a message; answers with what is said if it is too much. */
  add({ inbound, sender, content }: DecisionOf<"message">): string | null {
    const { conversation_id: id, unread, unread_chars, is_active, sender_active } = inbound;
    const waiting = this.conversations.get(id) ?? { unread, chars: unread_chars, isActive: is_active === 1 };
    const chars = waiting.chars + JSON.stringify(content).length;
    if (waiting.unread >= LIMITS.unread_messages_max || chars > LIMITS.unread_chars_max) return UNREAD;
    const active = sender_active + (this.begun.get(sender) ?? 0);
    if (!waiting.isActive) {
      if (active >= LIMITS.active_tasks_per_person_max) return TOO_MANY;
      this.begun.set(sender, (this.begun.get(sender) ?? 0) + 1);
    }
    this.conversations.set(id, { unread: waiting.unread + 1, chars, isActive: true });
    return null;
  }
}
