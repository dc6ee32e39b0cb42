/** What a model is to see beside words: files that people sent, fetched once, and images that tools brought back. A failure costs the file, and never the words. */
import type { CallKey } from "../../../shared/contracts/turn.ts";
import { describeError } from "../../../shared/errors.ts";
import { readFile } from "../../../shared/files.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { type Attachment, readAttachments, recordAttachments } from "../../../shared/store/attachments.ts";
import type { Transcript } from "../../../shared/store/transcript.ts";
import type { Env } from "../env.ts";
import { fetchAttachment, type Received } from "./fetch-attachment.ts";
import { placeInInbox } from "./inbox.ts";

export interface PromptFile {
  readonly name: string;
  readonly mime: string;
  readonly bytes: number;
  /** Null: it is named only, for the reason in `failure`. */
  readonly content: Uint8Array | null;
  readonly failure: string | null;
}

/** By the id of the message, or of the call, that they belong to. */
export type PromptFiles = ReadonlyMap<string, readonly PromptFile[]>;

export const NO_FILES: PromptFiles = new Map();

/** A file that may be kept, or why it is not. */
interface Wanted {
  readonly owner: string;
  readonly name: string;
  readonly mime: string;
  readonly bytes: number;
  readonly sha256: string | null;
  readonly failure: string | null;
}

const OLDER = "it is an older one; ask for it to be sent again";

export const makeImageKey = ({ taskId, turn, call }: CallKey) => `${taskId} ${turn}.${call}`;
const makeKey = (messageId: string, position: number) => `${messageId} ${position}`;

/** The files of the transcript: the newest are read, the others are named. Costs nothing when there are none. */
export async function readFiles(env: Env, transcript: Transcript): Promise<PromptFiles> {
  const wanted = inOrder(transcript, [
    ...(await readReceivedFiles(env, transcript)),
    ...listImages(transcript),
  ]);
  const files = new Map<string, PromptFile[]>();
  const oldest = wanted.length - LIMITS.prompt_files_max;
  let bytesLeft = LIMITS.prompt_files_bytes_max;
  for (const [index, one] of [...wanted.entries()].toReversed()) {
    const fits = index >= oldest && one.bytes <= bytesLeft;
    if (fits) bytesLeft -= one.bytes;
    const file = fits ? await readOne(env, one) : named(one, OLDER);
    files.set(one.owner, [file, ...(files.get(one.owner) ?? [])]);
  }
  return files;
}

/** As they were seen: what a turn has read, and then what its calls brought. */
function inOrder({ messages, calls }: Transcript, wanted: readonly Wanted[]): Wanted[] {
  const tasks = [...new Set(messages.map(({ readBy }) => readBy.taskId))];
  const seen = [
    ...messages.map(({ id, readBy }) => ({ owner: id, ...readBy })),
    ...calls.map((call) => ({ owner: makeImageKey(call), taskId: call.taskId, turn: call.turn })),
  ].toSorted(
    (a, b) =>
      tasks.indexOf(a.taskId) - tasks.indexOf(b.taskId) || (a.turn ?? Infinity) - (b.turn ?? Infinity),
  );
  return seen.flatMap(({ owner }) => wanted.filter((one) => one.owner === owner));
}

/** The files, those of these owners by their names only. */
export function dropContents(files: PromptFiles, owners: readonly string[], failure: string): PromptFiles {
  const withoutContent = (file: PromptFile) => ({
    ...file,
    content: null,
    failure: file.failure ?? failure,
  });
  return new Map(
    Array.from(files, ([owner, some]) => [owner, owners.includes(owner) ? some.map(withoutContent) : some]),
  );
}

/** What people sent, oldest first; of what nobody has fetched yet, the newest are fetched. */
async function readReceivedFiles(env: Env, transcript: Transcript): Promise<Wanted[]> {
  const received = transcript.messages.flatMap(({ id, content }) =>
    content.type === "call"
      ? []
      : (content.files ?? []).map((file, position): Received => ({ messageId: id, position, file })),
  );
  if (received.length === 0) return [];
  const attachments = await fetchNewest(env, transcript, received);
  return received.map(({ messageId, position, file: { name, mime } }) => {
    const kept = attachments.get(makeKey(messageId, position));
    const { bytes = 0, sha256 = null, failure = OLDER } = kept ?? {};
    return { owner: messageId, name, mime, bytes, sha256, failure };
  });
}

async function fetchNewest(
  env: Env,
  transcript: Transcript,
  received: readonly Received[],
): Promise<ReadonlyMap<string, Attachment>> {
  const known = await readAttachments(env.DB, [...new Set(received.map(({ messageId }) => messageId))]);
  const attachments = new Map(known.map((one) => [makeKey(one.message_id, one.position), one]));
  const unknown = received
    .slice(-LIMITS.prompt_files_max)
    .filter(({ messageId, position }) => !attachments.has(makeKey(messageId, position)));
  if (unknown.length === 0) return attachments;
  const fetched = await Promise.all(
    unknown.map(async (one) => ({
      name: one.file.name,
      attachment: await fetchAttachment(env, transcript, one),
    })),
  );
  const placed = await placeInInbox(env.DB, transcript.conversationId, fetched);
  await recordAttachments(env.DB, transcript.conversationId, placed, Date.now());
  for (const one of placed) attachments.set(makeKey(one.message_id, one.position), one);
  return attachments;
}

function listImages({ calls }: Transcript): Wanted[] {
  return calls.flatMap((call) =>
    (call.observation?.images ?? []).map((image) => ({ ...image, owner: makeImageKey(call), failure: null })),
  );
}

function named({ name, mime, bytes }: Wanted, failure: string): PromptFile {
  return { name, mime, bytes, content: null, failure };
}

async function readOne(env: Env, wanted: Wanted): Promise<PromptFile> {
  const { name, mime, bytes, sha256, failure } = wanted;
  if (sha256 === null) return named(wanted, failure ?? "it could not be fetched");
  const read = async () => {
    const object = await readFile(env.FILES, sha256);
    return object && new Uint8Array(await object.arrayBuffer());
  };
  try {
    const content = await read().catch(read);
    return content === null
      ? named(wanted, "it is not kept any more")
      : { name, mime, bytes, content, failure: null };
  } catch (error) {
    return named(wanted, `the file store: ${describeError(error)}`);
  }
}
