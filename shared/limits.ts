/**
 * Every bound of the system in one place, with its unit in its name and the reason beside it.
 * `LIMITS` are sizes and counts; `TIMINGS` are the defaults of what `ERRAND_TIMINGS` may override.
 */

export const LIMITS = {
  /** A prompt of 32,000 characters is about 8,000 tokens; in UTF-8 it stays far below D1's 2 MB a row. */
  prompt_chars_max: 32_000,
  code_chars_max: 32_000,
  /** Room for a prompt in four-byte characters, escaped as JSON. */
  api_body_bytes_max: 256 * 1024,
  /** Telegram's updates are below 64 KiB; what is larger is parked, cut to this size. */
  hook_body_bytes_max: 256 * 1024,
  /** In one request of a platform: a few at most today. What is beyond is parked with its request. */
  hook_events_max: 100,
  idempotency_key_chars_max: 255,
  conversation_name_chars_max: 128,
  /** What a tool may bring back: it is kept in D1 and goes into the next prompt. */
  observation_chars_max: 16_000,
  /** Of why a task failed. */
  error_chars_max: 1_000,
  /** Of what code returns, as JSON for programs; what is longer is in a file. */
  value_chars_max: 16_000,
  /** Telegram's albums have ten parts at most. */
  album_parts_max: 10,
  /** What a tool may print at all: what is beyond `observation_chars_max` becomes a file. */
  output_chars_max: 1_000_000,
  /** One file that code makes or that a person sends. Anthropic takes images of 5 MB. */
  file_bytes_max: 5 * 1024 * 1024,
  file_name_chars_max: 80,
  mime_chars_max: 200,
  person_name_chars_max: 40,
  files_per_call_max: 10,
  /** Of what people sent, the newest are read by a model; the others are named to it. */
  prompt_files_max: 10,
  prompt_files_bytes_max: 10 * 1024 * 1024,
  /** Of a text file that somebody sent. */
  file_chars_max: 50_000,
  artifacts_per_task_max: 20,
  /** An answer of ten Telegram messages; what is longer is cut, and says so. */
  answer_chars_max: 40_000,
  /** Of what a model is saying, in the message that is replaced by the answer. */
  progress_chars_max: 1_500,
  turns_max: 20,
  calls_per_turn_max: 10,
  /** Times a Workflow looks whether a person has decided: each wake is one, and each revival. */
  looks_max: 100,
  choices_max: 8,
  choice_chars_max: 60,
  question_chars_max: 2_000,
  /** Of a reason or an answer, beside what was asked. */
  reason_chars_shown: 300,
  /** Calls beyond the ones that are made are answered with words, up to this many: each is a step, of which a Workflow has 1,024. */
  calls_answered_max: 20,
  /** Of a call's input, as JSON. SQLite reads a thousand. */
  input_depth_max: 100,
  /** Times one turn or call is asked for again after a Transient failure before the task fails. */
  transient_retries_max: 12,
  /** Messages of a conversation that a turn looks back on, beside those that its own task has read. */
  history_messages_max: 50,
  /** What a turn reads of what is unread, in UTF-16 units: half of a prompt, so that there is room for what was done before. One message is always read. */
  turn_messages_max: 50,
  turn_unread_chars_max: 100_000,
  /** What may wait unread in a conversation: a few turns' worth. The next message is refused, in words. */
  unread_messages_max: 50,
  unread_chars_max: 400_000,
  /** Of what a model is given to read: about 50,000 tokens at four characters each. `workers/planner/turn/budget.ts` has the order in which it is cut. */
  prompt_history_chars_max: 200_000,
  /** Of what a model may write in one turn, its thoughts included. */
  answer_tokens_max: 16_000,
  /** Where a spending cap leaves less than that for an answer, the model is not asked. */
  answer_tokens_min: 256,
  /** Tasks under way at the same time, beside what they may cost (`shared/policy/caps.ts`): of an API key, and of a person in a chat. */
  active_tasks_per_key_max: 20,
  active_tasks_per_person_max: 5,
  key_label_chars_max: 100,
  /** Of a tenant's policy. */
  policy_rules_max: 100,
  policy_patterns_max: 50,
  policy_pattern_chars_max: 200,
  policy_segments_max: 20,
  /** Of a text that `files` reads at once: it fits into an observation, with what is said of it. */
  file_read_chars_max: 14_000,
  /** Of a conversation's files. */
  workspace_files_max: 1_000,
  workspace_bytes_max: 50 * 1024 * 1024,
  /** What goes through the gate of a container, for one script. */
  egress_requests_max: 200,
  egress_path_chars_max: 200,
  /** Of one answer. */
  egress_bytes_max: 256 * 1024 * 1024,
  /** Of a workspace, what is laid into a sandbox that keeps it in memory, and what comes back: an isolate has 128 MB. */
  sandbox_files_max: 500,
  sandbox_bytes_max: 16 * 1024 * 1024,
  /** Of a path in a workspace. */
  path_chars_max: 1_000,
  path_segments_max: 50,
  /** Event streams that a key has open. */
  streams_per_key_max: 4,
  tasks_page_max: 50,
  /** Rows a filtered page may read before it returns a cursor. */
  tasks_window_max: 1_000,
  /** Creates whose answer was lost are tried again at most this often; each may show a message twice. */
  doubts_max: 2,
  /** Rings without progress until a doorbell goes to the dead-letter desk. */
  rings_max: 50,
  /** A task that was revived so often without a step forward is given up. */
  revivals_max: 3,
  /** Tasks that fail alike within `alert_window_ms` until an operator is told. */
  alert_failures_min: 3,
  /** Tries in vain: of an answer about four minutes of them, of a task more. */
  alert_rings_min: 8,
  /** Times an answer goes on by itself after its platform has refused our credentials, and takes them again. */
  replays_max: 20,
  /** Tellings of alerts that one watch sends, and tries of each: an hour and a half. */
  notices_at_once_max: 20,
  notice_attempts_max: 24,
  sweep_rows_max: 500,
  purge_rows_max: 500,
  /** Of a 256th of the bucket, a thousand files each. */
  sweep_pages_max: 20,
  dead_letters_page_max: 500,
  people_page_max: 500,
  approvals_page_max: 100,
  /** Kinds of what failed in an hour, and how much of each reason is shown. */
  faults_page_max: 20,
  fault_chars_max: 120,
  /** Cloudflare Queues: messages in one sendBatch. https://developers.cloudflare.com/queues/platform/limits/ */
  queue_batch_max: 100,
} as const;

/** Milliseconds. They nest: a model's silence < turn's claim; model call < plan < task; platform calls together < lease. */
export const TIMINGS = {
  /** The parts of an album are waited for, so that they are read together. */
  album_ms: 1_000,
  /** A fresh doorbell is left to its queue this long before the sweep rings it again. */
  doorbell_grace_ms: 10_000,
  /** How long a created Workflow may take to its first step before it counts as stranded. */
  reconcile_claim_ms: 60_000,
  /** A model that says nothing for so long, not even that it thinks, is given up. */
  model_silence_ms: 60_000,
  /** A whole answer: 16,000 tokens at a hundred a second. */
  model_call_ms: 180_000,
  /** What a model says is passed on this often, while it speaks. */
  text_flush_ms: 1_000,
  /** After a model that failed without saying when to come again. It grows by half each time. */
  model_retry_ms: 2_000,
  /** A model that asks to wait for longer ends the task, instead of keeping a person waiting. */
  retry_after_ms_max: 120_000,
  /** Renewed while the model speaks. Before that, files are fetched (four calls at most) and the model is waited for. */
  turn_claim_ms: 120_000,
  /** What is left under a spending cap may be held by calls under way: so long a turn waits for it, within its claim. */
  room_wait_ms: 30_000,
  /** The step that waits for a turn. */
  plan_ms: 240_000,
  step_ms: 120_000,
  /** After a step that crashed. It doubles each time. */
  step_retry_ms: 1_000,
  task_deadline_ms: 3_600_000,
  /** How often it is looked, while a call is made, whether its task was stopped. */
  stop_look_ms: 1_000,
  /** How long a person may take to decide, until it is a denial. */
  approval_ms: 24 * 3_600_000,
  /** How long a question may wait for its answer. */
  question_ms: 7 * 24 * 3_600_000,
  /** Wall-clock time of one `run_code`, counted from the moment its isolate starts. */
  code_wall_ms: 5_000,
  /** Of one script, unless it asks for less or more; and the most that it may ask for. */
  shell_wall_ms: 10_000,
  shell_wall_ms_max: 30_000,
  /** The same in a container, where work is longer. */
  container_wall_ms: 120_000,
  container_wall_ms_max: 30 * 60_000,
  /** A container that nobody uses is ended after this. */
  container_idle_ms: 5 * 60_000,
  /** So long one step follows a job; the next goes on with it. */
  job_follow_ms: 60_000,
  /** How long a call may wait for its turn in the sandbox, and for the sandbox to come back. */
  sandbox_queue_ms: 60_000,
  /** After the sandbox was busy or lost. */
  sandbox_retry_ms: 2_000,
  platform_call_ms: 10_000,
  lease_ms: 45_000,
  /** Telegram's updates expire after 24 h, Meta redelivers for 7 days. */
  inbound_kept_ms: 8 * 24 * 3_600_000,
  /** A task that has ended, with what was said, done, made and answered in it. */
  task_kept_ms: 28 * 24 * 3_600_000,
  /** What was put aside, and nobody has looked at. */
  dead_letter_kept_ms: 28 * 24 * 3_600_000,
  /** A stranger's code. Whoever writes later is told another. */
  stranger_kept_ms: 7 * 24 * 3_600_000,
  /** Who decided what about whom. */
  audit_kept_ms: 365 * 24 * 3_600_000,
  /** A file that nothing names: whoever keeps it names it within a step. */
  file_kept_ms: 24 * 3_600_000,
  /** An answer within this time needs no sign of life before it. */
  sign_after_ms: 1_000,
  /** An answer within this time needs no placeholder. */
  placeholder_after_ms: 2_000,
  /** A task that took longer than this ends with a message that makes the phone buzz. */
  ping_after_ms: 15_000,
  /** A reply that could not be sent for this long never will be. */
  reply_kept_ms: 24 * 3_600_000,
  /** How often a stream of a task's events looks for new ones. */
  events_poll_ms: 500,
  /** A stream ends after this and is taken up again by whoever reads it; proxies cut at about a hundred seconds of silence. */
  events_stream_ms: 300_000,
  events_ping_ms: 15_000,
  /** How often it is noted that an API key is in use. */
  key_use_noted_ms: 3_600_000,
  /** How long a signed link to an artifact is good for. */
  artifact_link_ms: 3_600_000,
  /** Telegram forgets a button after 150 s; an answer that comes later is dropped. */
  callback_ms: 120_000,
  progress_ms_min: 3_000,
  /** Slowest pace at which a progress message is looked at again. */
  progress_ms_max: 30_000,
  backoff_ms_max: 300_000,
  /** Two rounds of a clock, which rings once a minute. */
  clock_late_ms: 150_000,
  /** What is wrong for so long is told: it was so at two watches. */
  alert_hold_ms: 45_000,
  /** What is wrong again so soon after it was told is not told again before. */
  alert_calm_ms: 900_000,
  /** How far back the watch looks for what has failed. */
  alert_window_ms: 900_000,
} as const;

export type Timings = { readonly [K in keyof typeof TIMINGS]: number };

/** Of a container of 4 GiB of memory and 8 GB of disk: https://developers.cloudflare.com/containers/pricing/ */
export const CONTAINER_USD_PER_S = 4 * 0.0000025 + 8 * 0.00000007;
