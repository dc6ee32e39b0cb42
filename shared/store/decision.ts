/** What triage may decide of one inbound. */
import type { ChatChannelName } from "../channels/index.ts";
import type { Decided } from "../contracts/approval.ts";
import type { MessageContent } from "../contracts/message.ts";
import type { NewInbound } from "./inbound.ts";

/** The conversation that is answered. */
interface Where {
  readonly inbound: NewInbound;
  /** As JSON. */
  readonly address: string;
  readonly channel: ChatChannelName;
  /** The platform's own id of the message that is answered; null for a button. */
  readonly externalId: string | null;
}

/** How the task is stopped whose id begins so. */
interface Stopping {
  readonly taskIdPrefix: string;
  readonly text: string;
  readonly unreadText: string;
  /** What is said when there is nothing to stop. */
  readonly idleText: string;
}

/** What somebody decides of what a call waits for. `choice`: the button of a question, from 0. */
interface Deciding {
  /** A request; or of those of the chat the one whose id begins so; or the only one that is open. */
  readonly target: { readonly id: string } | { readonly prefix: string } | "only";
  readonly verdict: Decided | { readonly state: "answered"; readonly choice: number };
  readonly by: string;
  readonly isAdmin: boolean;
  /** The first line of what asked, from now on. */
  readonly outcome: string;
}

type Message = Where & { messageId: string; taskId: string; sender: string; content: MessageContent };

export type Decision =
  | (Message & { kind: "message" })
  /** A message to a task that waits for a person: it decides. If that was decided meanwhile, it is a message as any other. */
  | (Message & Deciding & { kind: "respond" })
  /** By a button, which wants an answer of its own, or by a command. */
  | (Where & Deciding & { kind: "decide"; callbackId: string | null; doneText: string })
  | (Where & { kind: "reply"; text: string })
  | (Where & { kind: "stop" } & Stopping)
  /** A button that stops a task; what the platform is told for it says whether it did. */
  | (Where & { kind: "press"; callbackId: string; doneText: string } & Stopping)
  /** What was said so far is forgotten. */
  | (Where & { kind: "forget"; text: string })
  /** A stranger, or a group that nobody has admitted: written down, and told the code, once. */
  | (Where & { kind: "issue_code"; personId: string; code: string; text: string })
  /** An admin admits the group. */
  | (Where & { kind: "admit_group"; groupId: string; by: string; text: string })
  /** An admin makes somebody an admin. */
  | (Where & { kind: "promote"; personId: string; by: string; text: string })
  /** A group has another id from now on. */
  | { kind: "migrate_group"; inbound: NewInbound; channel: string; from: string; to: string }
  /** Replaces what a message says, unless it was read already. */
  | { kind: "edit"; inbound: NewInbound; externalId: string; content: MessageContent }
  | { kind: "ignore"; inbound: NewInbound; reason: string }
  | { kind: "park"; inbound: NewInbound; reason: string };

export type DecisionOf<Kind extends Decision["kind"]> = Extract<Decision, { kind: Kind }>;
