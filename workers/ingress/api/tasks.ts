/** The task API, v1: submit, read, list, stop, steer. */
import { type Context, Hono } from "hono";
import * as z from "zod/mini";
import { timingsOf } from "../../../shared/config.ts";
import { PromptTask, SteeringMessage, ToolTask } from "../../../shared/contracts/api.ts";
import type { MessageContent } from "../../../shared/contracts/message.ts";
import { TaskState } from "../../../shared/contracts/task.ts";
import { deriveId, newId, withKind } from "../../../shared/ids.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { log } from "../../../shared/log.ts";
import { ring } from "../../../shared/queue/doorbell.ts";
import { cancelTask, createTask, listTasks, steerTask } from "../../../shared/store/api.ts";
import { followTask, readReceipt } from "../../../shared/store/receipts.ts";
import { STOPPED, UNREAD_WORDS } from "../../../shared/words.ts";
import { bellsOf, type Env } from "../env.ts";
import { invalidRequest, problem } from "../problem.ts";
import { artifactViews } from "./artifacts.ts";
import { callerOf, unauthorized } from "./caller.ts";
import { streamEvents } from "./events.ts";
import { readJson } from "./request.ts";
import { linksOf, taskView } from "./view.ts";

type Api = Context<{ Bindings: Env }>;

const LastEventId = z.coerce.number().check(z.int(), z.gte(0));

export const tasks = new Hono<{ Bindings: Env }>();

tasks.post("/", async (c) => {
  const caller = await callerOf(c);
  if (caller === null) return unauthorized();
  const body = await readJson(c, (sent) => (isToolTask(sent) ? ToolTask : PromptTask));
  if (body instanceof Response) return body;
  const messageId = await idOf(c, caller.tenantId);
  if (messageId instanceof Response) return messageId;
  const taskId = withKind(messageId, "task");
  const { conversation } = body;
  const conversationId = await deriveId(
    "conv",
    caller.tenantId,
    "api",
    conversation ?? taskId,
    conversation ? "named" : "own",
  );

  const task = { ...caller, taskId, messageId, conversationId, content: contentOf(body) };
  const address = JSON.stringify({ chatId: conversation ?? taskId });
  const created = await createTask(c.env.DB, { ...task, address }, Date.now(), timingsOf(c.env));
  if (created.kind === "unauthorized") return unauthorized();
  if (created.kind === "different") return differentBody();
  if (created.kind === "busy") return busy(created.activeTaskId);
  c.executionCtx.waitUntil(ring(bellsOf(c.env), created.doorbells, "ingress"));
  log("info", {
    stage: "ingress",
    effect: "accepted",
    channel: "api",
    session_id: conversationId,
    task_id: taskId,
  });
  return c.json({ id: taskId, status: "queued", links: linksOf(taskId) }, 202);
});

tasks.get("/", async (c) => {
  const caller = await callerOf(c);
  if (caller === null) return unauthorized();
  const state = z.nullable(TaskState).safeParse(c.req.query("status") ?? null);
  const before = z
    .nullable(z.coerce.number().check(z.int(), z.gte(1)))
    .safeParse(c.req.query("cursor") ?? null);
  if (!state.success || !before.success) {
    const errors = [
      ...(state.success ? [] : [{ path: "status", message: `one of ${TaskState.options.join(", ")}` }]),
      ...(before.success ? [] : [{ path: "cursor", message: "the `next_cursor` of an earlier page" }]),
    ];
    return invalidRequest(errors);
  }
  const page = await listTasks(c.env.DB, { keyHash: caller.keyHash, state: state.data, before: before.data });
  if (page.kind === "unauthorized") return unauthorized();
  return c.json({
    tasks: page.tasks.map(({ id, state: status, created_at, ended_at }) => ({
      id,
      status,
      created_at: new Date(created_at).toISOString(),
      ended_at: ended_at === null ? null : new Date(ended_at).toISOString(),
      links: linksOf(id),
    })),
    next_cursor: page.cursor === null ? null : String(page.cursor),
  });
});

tasks.get("/:id", async (c) => {
  const caller = await callerOf(c);
  if (caller === null) return unauthorized();
  const receipt = await readReceipt(c.env.DB, { keyHash: caller.keyHash, taskId: c.req.param("id") });
  if (receipt === "unauthorized") return unauthorized();
  if (receipt === undefined) return notFound();
  const { id, artifacts } = receipt.task;
  return c.json(taskView(receipt, await artifactViews(c.env, id, artifacts)));
});

tasks.get("/:id/events", async (c) => {
  const caller = await callerOf(c);
  if (caller === null) return unauthorized();
  const task = { keyHash: caller.keyHash, taskId: c.req.param("id") };
  const last = LastEventId.safeParse(c.req.header("last-event-id") ?? "0");
  if (!last.success) {
    return invalidRequest([{ path: "Last-Event-ID", message: "the `id` of an event of this task" }]);
  }
  const first = await followTask(c.env.DB, { ...task, after: last.data });
  if (first === "unauthorized") return unauthorized();
  if (first === undefined) return notFound();
  return streamEvents(c, task, first, last.data);
});

tasks.post("/:id/cancel", async (c) => {
  const caller = await callerOf(c);
  if (caller === null) return unauthorized();
  const taskId = c.req.param("id");
  const endedBy = `cancel:${crypto.randomUUID()}`;
  const cancel = { keyHash: caller.keyHash, taskId, endedBy, text: STOPPED, unreadWords: UNREAD_WORDS };
  const cancelled = await cancelTask(c.env.DB, cancel, Date.now(), timingsOf(c.env));
  if (cancelled.kind === "unauthorized") return unauthorized();
  if (cancelled.kind === "not_found") return notFound();
  c.executionCtx.waitUntil(ring(bellsOf(c.env), cancelled.doorbells, "ingress"));
  log("info", { stage: "ingress", effect: "cancelled", task_id: taskId });
  return c.json({ id: taskId, status: cancelled.state, links: linksOf(taskId) });
});

tasks.post("/:id/messages", async (c) => {
  const caller = await callerOf(c);
  if (caller === null) return unauthorized();
  const body = await readJson(c, () => SteeringMessage);
  if (body instanceof Response) return body;
  const messageId = await idOf(c, caller.tenantId);
  if (messageId instanceof Response) return messageId;
  const taskId = c.req.param("id");
  const content: MessageContent = { type: "text", text: body.text };
  const steered = await steerTask(
    c.env.DB,
    { keyHash: caller.keyHash, taskId, messageId, content },
    Date.now(),
  );
  if (steered.kind === "unauthorized") return unauthorized();
  if (steered.kind === "not_found") return notFound();
  if (steered.kind === "different") return differentBody();
  if (steered.kind === "ended") {
    const detail = `The task is ${steered.state.replace("_", " ")}. Submit a new one, with the same \`conversation\` to go on from it.`;
    return problem({ status: 409, title: "The task has ended", detail, links: linksOf(taskId) });
  }
  // If the task ends before it reads the message, the message starts the next one.
  const links = { task: `/v1/tasks/${taskId}`, next: `/v1/tasks/${withKind(messageId, "task")}` };
  return c.json({ id: messageId, links }, 202);
});

function isToolTask(sent: unknown): boolean {
  return typeof sent === "object" && sent !== null && "tool" in sent;
}

function contentOf(body: z.infer<typeof PromptTask> | z.infer<typeof ToolTask>): MessageContent {
  if ("prompt" in body) return { type: "text", text: body.prompt };
  return { type: "call", call: { tool: body.tool, input: body.input } };
}

/** The message's id: of the caller's Idempotency-Key, if there is one. */
async function idOf(c: Api, tenantId: string): Promise<string | Response> {
  const key = c.req.header("idempotency-key");
  if (key === undefined) return newId("msg", Date.now());
  if (key.length > 0 && key.length <= LIMITS.idempotency_key_chars_max) {
    return deriveId("msg", tenantId, "api", c.req.path, key);
  }
  const message = `1 to ${LIMITS.idempotency_key_chars_max} characters`;
  const errors = [{ path: "Idempotency-Key", message }];
  return invalidRequest(errors);
}

function notFound(): Response {
  return problem({ status: 404, title: "No such task", detail: "Your tenant has no task with this id." });
}

function differentBody(): Response {
  const detail = "This Idempotency-Key was used with another body. Use a new key for a new request.";
  return problem({ status: 422, title: "Idempotency-Key reused", detail });
}

function busy(activeTaskId: string): Response {
  const detail = "The conversation has an active task. Wait for it, stop it, or send it a message.";
  return problem({ status: 409, title: "The conversation is busy", detail, links: linksOf(activeTaskId) });
}
