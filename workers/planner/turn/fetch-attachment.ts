/** A file that somebody sent: fetched from its platform once, by the notifier, which has the credentials. */
import type { ChannelName } from "../../../shared/contracts/channel.ts";
import type { ReceivedFile } from "../../../shared/contracts/file.ts";
import { FetchedFile } from "../../../shared/contracts/rpc.ts";
import { describeError, transient } from "../../../shared/errors.ts";
import { log } from "../../../shared/log.ts";
import type { Attachment } from "../../../shared/store/attachments.ts";
import type { Env } from "../env.ts";

const TRIES = 2;

export interface Received {
  readonly messageId: string;
  /** The how-manieth of its message. */
  readonly position: number;
  readonly file: ReceivedFile;
}

/** What came of it, as it is to be recorded. */
export async function fetchAttachment(
  env: Env,
  { channel, conversationId }: { channel: ChannelName; conversationId: string },
  { messageId, position, file }: Received,
): Promise<Attachment> {
  const origin = { message_id: messageId, position, mime: file.mime };
  let failure = "";
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const fetched = await env.NOTIFIER.fetchFile(channel, file).then(
      (answer) => FetchedFile.parse(answer),
      (error: unknown) => transient(describeError(error)),
    );
    if (fetched.kind === "kept") {
      const { sha256, bytes } = fetched.file;
      return { ...origin, sha256, bytes, failure: null };
    }
    failure = fetched.reason;
    if (fetched.kind === "permanent") break;
  }
  log("warn", {
    stage: "planner",
    effect: "file not fetched",
    session_id: conversationId,
    key: messageId,
    detail: failure,
  });
  return { ...origin, sha256: null, bytes: 0, failure };
}
