/** The task API, v1: submit, read, list, stop, steer. */
import { type Context, Hono } from "hono";
import * as z from "zod/mini";
import { parseCommand } from "../../../shared/commands.ts";
import { readTimings } from "../../../shared/config.ts";
import {
  type MessageReference,
  PromptTask,
  SteeringMessage,
  type Task,
  type TaskPage,
  type TaskReference,
} from "../../../shared/contracts/api.ts";
import type { ReplyAddress } from "../../../shared/contracts/channel.ts";
import type { MessageContent } from "../../../shared/contracts/message.ts";
import { TaskState } from "../../../shared/contracts/task.ts";
import { resolveCommand, ToolTask } from "../../../shared/contracts/tools/index.ts";
import { deriveId, newId, changeIdKind } from "../../../shared/ids.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { log } from "../../../shared/log.ts";
import { ring } from "../../../shared/queue/doorbell.ts";
import { cancelTask } from "../../../shared/store/cancel-task.ts";
import { listTasks } from "../../../shared/store/list-tasks.ts";
import { followTask, readReceipt } from "../../../shared/store/receipt.ts";
import { steerTask } from "../../../shared/store/steer-task.ts";
import { submitTask } from "../../../shared/store/submit-task.ts";
import { STOPPED, UNREAD_TEXT } from "../../../shared/strings.ts";
import { getBells, type Env } from "../env.ts";
import { HttpProblem, notFound, tooMany } from "../problem.ts";
import { buildArtifactViews } from "./artifacts.ts";
import { authenticate, refused, unwrapOutcome } from "./caller.ts";
import { streamEvents } from "./events.ts";
import { readFields, readJson } from "./request.ts";
import { formatTime, buildLinks, buildTaskView } from "./view.ts";

type Api = Context<{ Bindings: Env }>;

const NO_TASK = "Your tenant has no task with this id.";

export const tasks = new Hono<{ Bindings: Env }>();

tasks.post("/", async (c) => {
  const caller = await authenticate(c, "tasks");
  const body = await readJson(c, (sent) => (isToolTask(sent) ? ToolTask : PromptTask));
  const messageId = await readMessageId(c, caller.tenantId);
  const taskId = changeIdKind(messageId, "task");
  const { conversation } = body;
  const name = conversation ?? taskId;
  const kind = conversation === undefined ? "own" : "named";
  const conversationId = await deriveId("conv", caller.tenantId, "api", name, kind);
  const address: ReplyAddress = { channel: "api", name };

  const task = {
    caller,
    tenantId: caller.tenantId,
    taskId,
    messageId,
    conversationId,
    content: makeContent(body),
  };
  const submitted = await submitTask(
    c.env.DB,
    { ...task, address: JSON.stringify(address) },
    Date.now(),
    readTimings(c.env),
  );
  if (submitted.kind === "unauthorized" || submitted.kind === "forbidden") throw refused(submitted);
  if (submitted.kind === "different") throw differentBody();
  if (submitted.kind === "busy") throw busy(submitted.activeTaskId);
  if (submitted.kind === "foreign") {
    const detail = "Another key has used this conversation. Choose another name for yours.";
    throw new HttpProblem({ status: 409, title: "The conversation is another key's", detail });
  }
  if (submitted.kind === "too_many") {
    const detail = `This key has ${LIMITS.active_tasks_per_key_max} tasks under way, and may have no more. Wait for one, or cancel one.`;
    throw tooMany("Too many tasks", detail, { tasks: "/v1/tasks?status=running" });
  }
  c.executionCtx.waitUntil(ring(getBells(c.env), submitted.doorbells, "ingress"));
  log("info", {
    stage: "ingress",
    effect: "accepted",
    channel: "api",
    session_id: conversationId,
    task_id: taskId,
  });
  return c.json<TaskReference>({ id: taskId, status: "queued", links: buildLinks(taskId) }, 202);
});

tasks.get("/", async (c) => {
  const caller = await authenticate(c, "tasks", "tasks:read");
  const { state, before } = await readFields(c, {
    state: {
      path: "status",
      given: c.req.query("status"),
      schema: z.optional(TaskState),
      words: `one of ${TaskState.options.join(", ")}`,
    },
    before: {
      path: "cursor",
      given: c.req.query("cursor"),
      schema: z.optional(z.coerce.number().check(z.int(), z.gte(1))),
      words: "the `next_cursor` of an earlier page",
    },
  });
  const asked = { caller, state: state ?? null, before: before ?? null };
  const page = unwrapOutcome(await listTasks(c.env.DB, asked), "list");
  return c.json<TaskPage>({
    tasks: page.tasks.map(({ id, state: status, created_at, ended_at }) => ({
      id,
      status,
      created_at: formatTime(created_at),
      ended_at: ended_at === null ? null : formatTime(ended_at),
      links: buildLinks(id),
    })),
    next_cursor: page.cursor === null ? null : String(page.cursor),
  });
});

tasks.get("/:id", async (c) => {
  const caller = await authenticate(c, "tasks", "tasks:read");
  const receipt = unwrapOutcome(
    await readReceipt(c.env.DB, { caller, taskId: c.req.param("id") }),
    "task",
    NO_TASK,
  );
  const { id, artifacts } = receipt.task;
  return c.json<Task>(buildTaskView(receipt, await buildArtifactViews(c.env, id, artifacts)));
});

tasks.get("/:id/events", async (c) => {
  const caller = await authenticate(c, "tasks", "tasks:read");
  const task = { caller, taskId: c.req.param("id") };
  const { after } = await readFields(c, {
    after: {
      path: "Last-Event-ID",
      given: c.req.header("last-event-id") ?? "0",
      schema: z.coerce.number().check(z.int(), z.gte(0)),
      words: "the `id` of an event of this task",
    },
  });
  const first = unwrapOutcome(await followTask(c.env.DB, { ...task, after }), "task", NO_TASK);
  return streamEvents(c, task, first, after);
});

tasks.post("/:id/cancel", async (c) => {
  const caller = await authenticate(c, "tasks");
  const taskId = c.req.param("id");
  const endedBy = `cancel:${crypto.randomUUID()}`;
  const cancel = { caller, taskId, endedBy, text: STOPPED, unreadText: UNREAD_TEXT };
  const cancelled = await cancelTask(c.env.DB, cancel, Date.now(), readTimings(c.env));
  if (cancelled.kind === "unauthorized" || cancelled.kind === "forbidden") throw refused(cancelled);
  if (cancelled.kind === "not_found") throw notFound("task", NO_TASK);
  c.executionCtx.waitUntil(ring(getBells(c.env), cancelled.doorbells, "ingress"));
  log("info", { stage: "ingress", effect: "cancelled", task_id: taskId });
  return c.json<TaskReference>({ id: taskId, status: cancelled.state, links: buildLinks(taskId) });
});

tasks.post("/:id/messages", async (c) => {
  const caller = await authenticate(c, "tasks");
  const { text } = await readJson(c, () => SteeringMessage);
  const messageId = await readMessageId(c, caller.tenantId);
  const taskId = c.req.param("id");
  const nextTaskId = changeIdKind(messageId, "task");
  const steering = { caller, taskId, messageId, nextTaskId, content: makeTextContent(text) };
  const steered = await steerTask(c.env.DB, steering, Date.now());
  if (steered.kind === "unauthorized" || steered.kind === "forbidden") throw refused(steered);
  if (steered.kind === "not_found") throw notFound("task", NO_TASK);
  if (steered.kind === "different") throw differentBody();
  if (steered.kind === "full") {
    const detail =
      "So much is unread in this conversation that it takes no more now. Wait for its task, or cancel it.";
    throw tooMany("Too much is unread", detail, buildLinks(taskId));
  }
  if (steered.kind === "ended") {
    const detail = `The task is ${steered.state.replace("_", " ")}. Submit a new one, with the same \`conversation\` to go on from it.`;
    throw new HttpProblem({ status: 409, title: "The task has ended", detail, links: buildLinks(taskId) });
  }
  const links = { task: `/v1/tasks/${taskId}`, next: `/v1/tasks/${nextTaskId}` };
  return c.json<MessageReference>({ id: messageId, links }, 202);
});

function isToolTask(sent: unknown): boolean {
  return typeof sent === "object" && sent !== null && "tool" in sent;
}

function makeContent(body: z.infer<typeof PromptTask> | z.infer<typeof ToolTask>): MessageContent {
  if ("prompt" in body) return makeTextContent(body.prompt);
  const { conversation: _, ...call } = body;
  return { type: "call", call };
}

/** A tool's command may stand in a text here too; of the others a program has no need. */
function makeTextContent(text: string): MessageContent {
  const parsed = parseCommand(text);
  const command = parsed && { name: parsed.name, args: parsed.args };
  return {
    type: "text",
    text,
    ...(command !== null && resolveCommand(command) !== null && { command }),
  };
}

/** The message's id: of the caller's Idempotency-Key, if there is one. */
async function readMessageId(c: Api, tenantId: string): Promise<string> {
  const { key } = await readFields(c, {
    key: {
      path: "Idempotency-Key",
      given: c.req.header("idempotency-key"),
      schema: z.optional(z.string().check(z.minLength(1), z.maxLength(LIMITS.idempotency_key_chars_max))),
      words: `1 to ${LIMITS.idempotency_key_chars_max} characters`,
    },
  });
  return key === undefined ? newId("msg", Date.now()) : deriveId("msg", tenantId, "api", c.req.path, key);
}

function differentBody(): HttpProblem {
  const detail = "This Idempotency-Key was used with another body. Use a new key for a new request.";
  return new HttpProblem({ status: 422, title: "Idempotency-Key reused", detail });
}

function busy(activeTaskId: string): HttpProblem {
  const detail = "The conversation has an active task. Wait for it, stop it, or send it a message.";
  const links = buildLinks(activeTaskId);
  return new HttpProblem({ status: 409, title: "The conversation is busy", detail, links });
}
