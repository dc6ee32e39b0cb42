/** What more than one Worker says, or reads. */

/** `{unread}` is filled in by the batch that stops the task: only it knows what was waiting. */
export const STOPPED = "⏹ Stopped.{unread}";
export const UNREAD_TEXT = " Unread messages that went with it: {n}.";

/** The button under what is shown while a task runs. Platforms take no more than 64 bytes of data. */
export const makeStopButton = (taskId: string) => ({ label: "⏹ Stop", data: `stop:${taskId}` });

/** The buttons under what asks a person. */
export const makeApprovalButtons = (id: string, label = "✅ Approve") => [
  { label, data: `approve:${id}` },
  { label: "⛔ Deny", data: `deny:${id}` },
];
export const makeChoiceButtons = (id: string, choices: readonly string[]) =>
  choices.map((label, index) => ({ label, data: `answer${index}:${id}` }));

/** What a button decides, and of which request; `choice` counts from 0. Null for another button. */
export function parseApprovalButton(
  data: string,
): { id: string; verb: "approve" | "deny" } | { id: string; verb: "answer"; choice: number } | null {
  const [, verb, choice = "", id = ""] = /^(approve|deny|answer(\d))?:(appr_[0-9a-z]{26})$/.exec(data) ?? [];
  if (verb === "approve" || verb === "deny") return { id, verb };
  return verb === undefined ? null : { id, verb: "answer", choice: Number(choice) };
}

/** As people type it: the beginning of the id, behind its kind. */
export const shortenApprovalId = (id: string) => id.slice("appr_".length, "appr_".length + 6);

/** How it is decided by typing, and until when. */
export function describeDeciding(id: string, expiresAt: number): string {
  const shortId = shortenApprovalId(id);
  const until = new Date(expiresAt).toISOString().slice(0, 16).replace("T", " ");
  return `\`/approve ${shortId}\` or \`/deny ${shortId}\`, until ${until} UTC.`;
}

/** The task that a button stops; null for another button. */
export function parseStopButton(data: string): string | null {
  return /^stop:(task_[0-9a-z]{26})$/.exec(data)?.[1] ?? null;
}
