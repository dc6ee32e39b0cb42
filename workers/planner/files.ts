/** What people sent beside words: fetched once, kept, and read for the model. A failure costs the file, and never the words. */
import { FetchedFile } from "../../shared/contracts/rpc.ts";
import type { ReceivedFile } from "../../shared/contracts/file.ts";
import { reasonOf } from "../../shared/errors.ts";
import { readFile } from "../../shared/files.ts";
import { LIMITS } from "../../shared/limits.ts";
import { log } from "../../shared/log.ts";
import { type Attachment, attachmentsOf, recordAttachments } from "../../shared/store/attachments.ts";
import type { Transcript } from "../../shared/store/turns.ts";
import type { Env } from "./env.ts";

export interface PromptFile {
  readonly name: string;
  readonly mime: string;
  readonly bytes: number;
  /** Null: it is named only, for the reason in `failure`. */
  readonly content: Uint8Array | null;
  readonly failure: string | null;
}

export const NO_FILES: ReadonlyMap<string, readonly PromptFile[]> = new Map();

const TRIES = 2;
const OLDER = "it is an older one; ask for it to be sent again";

const keyOf = (messageId: string, i: number) => `${messageId} ${i}`;

interface Received {
  messageId: string;
  i: number;
  file: ReceivedFile;
}

/** The files of the transcript, by the ids of their messages. Costs nothing when there are none. */
export async function filesOf(env: Env, transcript: Transcript): Promise<typeof NO_FILES> {
  const received = transcript.messages.flatMap(({ id, content }) =>
    content.type === "call" ? [] : (content.files ?? []).map((file, i) => ({ messageId: id, i, file })),
  );
  if (received.length === 0) return NO_FILES;
  const known = await attachmentsOf(env.DB, [...new Set(received.map(({ messageId }) => messageId))]);
  const attachments = new Map(known.map((one) => [keyOf(one.message_id, one.i), one]));
  const newest = received.toReversed().slice(0, LIMITS.prompt_files_max);
  const unknown = newest.filter(({ messageId, i }) => !attachments.has(keyOf(messageId, i)));
  if (unknown.length > 0) {
    const fetched = await Promise.all(unknown.map((one) => fetchOne(env, transcript, one)));
    await recordAttachments(env.DB, fetched);
    for (const one of fetched) attachments.set(keyOf(one.message_id, one.i), one);
  }
  const files = new Map<string, PromptFile[]>();
  let bytesLeft = LIMITS.prompt_files_bytes_max;
  for (const one of newest) {
    const attachment = attachments.get(keyOf(one.messageId, one.i));
    const fits = attachment !== undefined && attachment.bytes <= bytesLeft;
    if (fits) bytesLeft -= attachment.bytes;
    const read = await readOne(env, one.file, fits ? attachment : undefined);
    files.set(one.messageId, [read, ...(files.get(one.messageId) ?? [])]);
  }
  for (const { messageId, file } of received.slice(0, -LIMITS.prompt_files_max)) {
    files.set(messageId, [...(files.get(messageId) ?? []), await readOne(env, file, undefined)]);
  }
  return files;
}

/** The files, those of these messages by their names only. */
export function withoutContents(
  files: typeof NO_FILES,
  messageIds: readonly string[],
  failure: string,
): typeof NO_FILES {
  const named = (file: PromptFile) => ({ ...file, content: null, failure: file.failure ?? failure });
  return new Map(Array.from(files, ([id, some]) => [id, messageIds.includes(id) ? some.map(named) : some]));
}

async function fetchOne(
  env: Env,
  transcript: Transcript,
  { messageId, i, file }: Received,
): Promise<Attachment> {
  let failure = "";
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const fetched = await env.NOTIFIER.fetchFile(transcript.channel, file).then(
      (answer) => FetchedFile.parse(answer),
      (error: unknown) => ({ kind: "transient" as const, reason: reasonOf(error) }),
    );
    if (!("kind" in fetched))
      return {
        message_id: messageId,
        i,
        sha256: fetched.sha256,
        mime: file.mime,
        bytes: fetched.bytes,
        failure: null,
      };
    failure = fetched.reason;
    if (fetched.kind === "permanent") break;
  }
  log("warn", {
    stage: "planner",
    effect: "file not fetched",
    session_id: transcript.conversationId,
    key: messageId,
    detail: failure,
  });
  return { message_id: messageId, i, sha256: null, mime: file.mime, bytes: 0, failure };
}

async function readOne(
  env: Env,
  file: ReceivedFile,
  attachment: Attachment | undefined,
): Promise<PromptFile> {
  const { name, mime } = file;
  const bytes = attachment?.bytes ?? 0;
  const named = (failure: string): PromptFile => ({ name, mime, bytes, content: null, failure });
  if (attachment === undefined) return named(OLDER);
  const { sha256, failure } = attachment;
  if (sha256 === null) return named(failure ?? "it could not be fetched");
  const read = async () => {
    const object = await readFile(env.FILES, sha256);
    return object && new Uint8Array(await object.arrayBuffer());
  };
  try {
    const content = await read().catch(read);
    return content === null
      ? named("it is not kept any more")
      : { name, mime, bytes, content, failure: null };
  } catch (error) {
    return named(`the file store: ${reasonOf(error)}`);
  }
}
