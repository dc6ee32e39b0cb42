/** What the HTTP API takes and what it answers. Unknown fields of a request are faults: a misspelt one would otherwise be ignored in silence. */
import * as z from "zod/mini";
import { AlertKind } from "./alert.ts";
import { Role } from "./person.ts";
import { LIMITS } from "../limits.ts";
import { ChannelName } from "./channel.ts";
import { Scope } from "./key.ts";
import { QueueName } from "./doorbell.ts";
import { ConversationName, TaskError, TaskState } from "./task.ts";

const Prompt = z.string().check(z.minLength(1), z.maxLength(LIMITS.prompt_chars_max));
/** ISO 8601, in UTC. */
const Time = z.string();
const Path = z.string();

/** `POST /v1/tasks` with words for the planner; `ToolTask` of `tools/index.ts` is the other way. */
export const PromptTask = z.strictObject({ prompt: Prompt, conversation: ConversationName });
export const promptTaskExample: z.infer<typeof PromptTask> = { prompt: "/run 6 * 7" };

/** `POST /v1/tasks/:id/messages`. */
export const SteeringMessage = z.strictObject({ text: Prompt });
export const steeringMessageExample: z.infer<typeof SteeringMessage> = { text: "In Celsius, please." };

/** `POST /v1/people/admit`. */
export const Admission = z.strictObject({
  code: z.string().check(z.minLength(1), z.maxLength(20)),
  role: z.optional(Role),
});
export const admissionExample: z.infer<typeof Admission> = { code: "7K3M-9QXT", role: "admin" };

const TaskLinks = z.object({ self: Path, events: Path, cancel: Path, messages: Path });

/** The answer to `POST /v1/tasks` and `POST /v1/tasks/:id/cancel`. */
export const TaskReference = z.object({ id: z.string(), status: TaskState, links: TaskLinks });
export type TaskReference = z.infer<typeof TaskReference>;

/** `GET /v1/tasks`. */
export const TaskPage = z.object({
  tasks: z.array(z.extend(TaskReference, { created_at: Time, ended_at: z.nullable(Time) })),
  next_cursor: z.nullable(z.string()),
});
export type TaskPage = z.infer<typeof TaskPage>;

export const Artifact = z.object({
  id: z.string(),
  name: z.string(),
  mime: z.string(),
  bytes: z.int(),
  /** `signed` needs no key and expires; null where ERRAND_LINK_SECRET is not set. */
  links: z.object({ self: Path, signed: z.nullable(Path) }),
});
export type Artifact = z.infer<typeof Artifact>;

export const ReceiptEvent = z.object({ seq: z.int(), at: Time, event: z.string(), data: z.unknown() });
export type ReceiptEvent = z.infer<typeof ReceiptEvent>;

/** `GET /v1/tasks/:id`. */
export const Task = z.object({
  id: z.string(),
  status: TaskState,
  channel: ChannelName,
  created_at: Time,
  ended_at: z.nullable(Time),
  deadline_at: Time,
  /** Why it failed, or timed out. */
  error: z.nullable(TaskError),
  /** Null until it has ended. */
  result: z.nullable(
    z.object({
      text: z.nullable(z.string()),
      calls: z.array(
        z.object({
          id: z.string(),
          tool: z.string(),
          /** Null: it was not done. */
          ok: z.nullable(z.boolean()),
          /** What it printed. */
          output: z.nullable(z.string()),
          /** What it came to, as JSON: absent when that was nothing, or is so long that it is only in a file. */
          value: z.optional(z.unknown()),
          error: z.nullable(z.string()),
          /** Ids of the artifacts that it made. */
          files: z.array(z.string()),
        }),
      ),
      artifacts: z.array(Artifact),
    }),
  ),
  usage: z.object({
    turns: z.int(),
    tokens_in: z.int(),
    tokens_out: z.int(),
    model_ms: z.int(),
    /** Null: of at least one turn nobody told the price. */
    cost_usd: z.nullable(z.number()),
    /** How long containers have worked, and what their memory and disk cost meanwhile; their processors come on top, and the minutes after it. */
    container_s: z.number(),
    container_usd: z.number(),
  }),
  /** Null where the answer is read here. */
  delivery: z.nullable(
    z.object({
      state: z.nullable(z.string()),
      reason: z.nullable(z.string()),
      messages: z.array(
        z.object({ part: z.int(), state: z.string(), id: z.nullable(z.string()), doubts: z.int() }),
      ),
    }),
  ),
  receipt: z.array(ReceiptEvent),
  links: TaskLinks,
});
export type Task = z.infer<typeof Task>;

/** The answer to `POST /v1/tasks/:id/messages`. If the task ends before it reads the message, the message starts the next one. */
export const MessageReference = z.object({ id: z.string(), links: z.object({ task: Path, next: Path }) });
export type MessageReference = z.infer<typeof MessageReference>;

const DoorbellReference = z.object({ queue: z.string(), key: z.string() });

const DeadLetter = z.extend(DoorbellReference, { reason: z.string(), parked_at: Time, rings: z.int() });
/** `GET /v1/dead-letters`. */
export const DeadLetterPage = z.object({ dead_letters: z.array(DeadLetter) });
export type DeadLetterPage = z.infer<typeof DeadLetterPage>;

/** `GET /v1/dead-letters/:queue/:key`: with what it said, as text or, where it was none, as bytes. */
export const WholeDeadLetter = z.extend(DeadLetter, {
  channel: z.nullable(z.string()),
  raw: z.optional(z.nullable(z.string())),
  raw_base64: z.optional(z.string()),
});
export type WholeDeadLetter = z.infer<typeof WholeDeadLetter>;

/** `POST /v1/dead-letters/:queue/:key/replay`. */
export const Replayed = z.object({ replayed: z.object({ queue: QueueName, key: z.string() }) });
export type Replayed = z.infer<typeof Replayed>;

/** `DELETE /v1/dead-letters/:queue/:key`. */
export const Discarded = z.object({ discarded: DoorbellReference });
export type Discarded = z.infer<typeof Discarded>;

/** `POST /v1/keys`. */
export const NewKey = z.strictObject({
  label: z.string().check(z.maxLength(LIMITS.key_label_chars_max)),
  scopes: z.array(Scope).check(z.minLength(1), z.maxLength(Scope.options.length)),
  expires_at: z.optional(z.iso.datetime()),
});
export const newKeyExample: z.infer<typeof NewKey> = { label: "the shop", scopes: ["tasks"] };

const Key = z.object({
  id: z.string(),
  label: z.string(),
  scopes: z.array(Scope),
  created_at: Time,
  expires_at: z.nullable(Time),
  /** To the hour. */
  last_used_at: z.nullable(Time),
});
/** `GET /v1/keys`. */
export const KeyPage = z.object({ keys: z.array(z.extend(Key, { is_this: z.boolean() })) });
export type KeyPage = z.infer<typeof KeyPage>;

/** The answer to `POST /v1/keys`: the key is shown only now. */
export const MadeKey = z.extend(Key, { key: z.string() });
export type MadeKey = z.infer<typeof MadeKey>;

/** `DELETE /v1/keys/:id`. */
export const Revoked = z.object({ revoked: z.object({ id: z.string() }) });
export type Revoked = z.infer<typeof Revoked>;

const Backlog = z.object({
  waiting: z.int(),
  /** Due for longer than two rounds of the clock. */
  overdue: z.int(),
  /** When the oldest of what they stand for came in. */
  oldest_at: z.nullable(Time),
});
/** `GET /v1/status`. */
export const Status = z.object({
  /** Of the Worker that answers; null where there is none. */
  version: z.nullable(z.string()),
  queues: z.object({ inbound: Backlog, tasks: Backlog, replies: Backlog }),
  /** Those that are active, and those that have ended in a day. */
  tasks: z.record(TaskState, z.int()),
  dead_letters: z.int(),
  /** When the clock has last rung. */
  swept_at: z.nullable(Time),
  /** When the watch has last looked, which tells of alerts. */
  watched_at: z.nullable(Time),
  workers: z.array(z.object({ name: z.string(), version: z.string(), seen_at: Time })),
  /** By tasks that are active, or have ended since midnight (UTC); `cost_usd` is null where nobody knows the price. */
  today: z.object({
    turns: z.int(),
    tokens_in: z.int(),
    tokens_out: z.int(),
    cost_usd: z.nullable(z.number()),
  }),
  /** What is wrong now, for longer than a moment. */
  alerts: z.array(z.object({ kind: AlertKind, subject: z.string(), detail: z.string(), since: Time })),
  /** Tellings of alerts in a day that no sink has taken. */
  untold_alerts: z.int(),
  faults_of_the_hour: z.array(z.object({ what: z.string(), count: z.int(), last_at: Time })),
});
export type Status = z.infer<typeof Status>;

const KnownRole = z.enum(["unknown", ...Role.options]);
/** `GET /v1/people`. */
export const PeoplePage = z.object({
  people: z.array(z.object({ id: z.string(), role: KnownRole, since: Time })),
});
export type PeoplePage = z.infer<typeof PeoplePage>;

/** The answer to `POST /v1/people/admit`. */
export const Admitted = z.object({ admitted: z.object({ id: z.string(), role: Role }) });
export type Admitted = z.infer<typeof Admitted>;

/** `DELETE /v1/people/:id`. */
export const Dismissed = z.object({ dismissed: z.object({ id: z.string() }) });
export type Dismissed = z.infer<typeof Dismissed>;

/** The answer to `POST /v1/people/:id/forget`: how much of theirs there was. */
export const Forgotten = z.object({
  forgotten: z.object({ id: z.string(), tasks: z.int(), messages: z.int() }),
});
export type Forgotten = z.infer<typeof Forgotten>;

/** Every refusal, as RFC 9457 has it. */
export const ProblemDetails = z.object({
  type: z.string(),
  status: z.int(),
  title: z.string(),
  detail: z.string(),
  errors: z.optional(z.array(z.object({ path: z.string(), message: z.string() }))),
  links: z.optional(z.record(z.string(), Path)),
});

/** A file of a conversation's workspace. `sha256` is its etag. */
export const FileView = z.object({ path: z.string(), bytes: z.int(), mime: z.string(), sha256: z.string() });
export type FileView = z.infer<typeof FileView>;

/** `GET /v1/conversations/:name/files`: by path. */
export const FileList = z.object({ files: z.array(FileView) });
export type FileList = z.infer<typeof FileList>;
