/** What people sent lies in the workspace, too: in `inbox/`, by the name that it came with. */
import { cleanName } from "../../../shared/files.ts";
import type { Attachment, Placed } from "../../../shared/store/attachments.ts";
import { readManifest } from "../../../shared/store/workspace.ts";

const INBOX = "inbox/";

/** Gives each a path of its own; what was sent before under the same name, and is the same, has it already. */
export async function placeInInbox(
  db: D1Database,
  conversationId: string,
  received: readonly { readonly name: string; readonly attachment: Attachment }[],
): Promise<Placed[]> {
  const known = await readManifest(db, conversationId);
  const taken = new Map(known.map(({ path, sha256 }) => [path, sha256]));
  return received.map(({ name, attachment }) => {
    const { sha256 } = attachment;
    if (sha256 === null) return { ...attachment, path: null };
    // Somebody has called a file so.
    if (taken.has(INBOX.slice(0, -1))) return { ...attachment, path: null };
    const path = findPath(taken, cleanName(name.normalize("NFC")), sha256);
    taken.set(path, sha256);
    return { ...attachment, path };
  });
}

/** `report.csv`, `report (2).csv`, … */
function findPath(taken: ReadonlyMap<string, string>, name: string, sha256: string): string {
  const [, stem = name, extension = ""] = /^(.+?)(\.\w{1,8})?$/.exec(name) ?? [];
  for (let nth = 1; ; nth++) {
    const path = `${INBOX}${nth === 1 ? name : `${stem} (${nth})${extension}`}`;
    if ((taken.get(path) ?? sha256) === sha256) return path;
  }
}
