/** What triage may decide of one inbound. */
import type { MessageContent } from "../contracts/message.ts";
import type { NewInbound } from "./inbound.ts";

/** What is to come of one inbound. */
export type Decision = { inbound: NewInbound } & (
  | {
      kind: "message";
      address: string;
      channel: string;
      messageId: string;
      externalId: string | null;
      content: MessageContent;
    }
  /** A stranger: written down, and told the code, once. */
  | { kind: "introduce"; address: string; channel: string; personId: string; code: string; text: string }
  /** An admin admits the group. */
  | { kind: "admit"; address: string; channel: string; groupId: string; by: string; text: string }
  /** A group has another id from now on. */
  | { kind: "move"; channel: string; from: string; to: string }
  /** Replaces what a message says, unless it was read already. */
  | { kind: "edit"; externalId: string; content: MessageContent }
  | { kind: "reply"; address: string; channel: string; text: string }
  | {
      kind: "stop";
      address: string;
      channel: string;
      taskIdPrefix: string;
      text: string;
      unreadText: string;
      idleText: string;
    }
  /** A button that stops a task; what the platform is told for it says whether it did. */
  | {
      kind: "button";
      address: string;
      channel: string;
      callbackId: string;
      taskIdPrefix: string;
      text: string;
      unreadText: string;
      doneText: string;
      idleText: string;
    }
  | { kind: "new"; address: string; channel: string; text: string }
  | { kind: "ignore"; reason: string }
  | { kind: "park"; reason: string }
);

export type DecisionOf<Kind extends Decision["kind"]> = Extract<Decision, { kind: Kind }>;
