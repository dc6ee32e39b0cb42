/** `/v1/approvals`: what calls wait for, and deciding it. */
import { Hono } from "hono";
import * as z from "zod/mini";
import { ApprovalState, type Decided } from "../../../shared/contracts/approval.ts";
import { type ApprovalPage, type ApprovalView, NewDecision } from "../../../shared/contracts/control.ts";
import { readTimings } from "../../../shared/config.ts";
import { log } from "../../../shared/log.ts";
import { ring } from "../../../shared/queue/doorbell.ts";
import {
  type Approval,
  decideApproval,
  listApprovals,
  readApproval,
} from "../../../shared/store/decide-approval.ts";
import { getBells, type Env } from "../env.ts";
import { HttpProblem, notFound } from "../problem.ts";
import { authenticate, refused, unwrapOutcome, shortenKey } from "./caller.ts";
import { readFields, readJson } from "./request.ts";
import { formatTime } from "./view.ts";

const NONE = "No task that this key may see waits, or has waited, for that.";

export const approvals = new Hono<{ Bindings: Env }>();

approvals.get("/", async (c) => {
  const caller = await authenticate(c, "tasks", "tasks:read", "approvals");
  const { state } = await readFields(c, {
    state: {
      path: "state",
      given: c.req.query("state"),
      schema: z.optional(ApprovalState),
      words: `one of ${ApprovalState.options.join(", ")}`,
    },
  });
  const found = unwrapOutcome(await listApprovals(c.env.DB, caller, state ?? null), "list");
  return c.json<ApprovalPage>({ approvals: found.map(view) });
});

approvals.get("/:id", async (c) => {
  const caller = await authenticate(c, "tasks", "tasks:read", "approvals");
  const found = await readApproval(c.env.DB, caller, c.req.param("id"));
  return c.json<ApprovalView>(view(unwrapOutcome(found, "approval", NONE)));
});

approvals.post("/:id", async (c) => {
  const caller = await authenticate(c, "tasks", "approvals");
  const sent = await readJson(c, () => NewDecision);
  const verdict = readVerdict(sent);
  const id = c.req.param("id");
  const outcome = `${OUTCOMES[verdict.state]} over the API.`;
  const deciding = { caller, id, verdict, outcome, key: `api:${crypto.randomUUID()}` };
  const decided = await decideApproval(c.env.DB, deciding, Date.now(), readTimings(c.env));
  if (decided.kind === "unauthorized" || decided.kind === "forbidden") throw refused(decided);
  if (decided.kind === "not_found") throw notFound("approval", NONE);
  const { approval, isMine, doorbells } = decided;
  if (!isMine && approval.state !== verdict.state) {
    const what =
      approval.state === "open" ? `it is a ${approval.kind}, or too late` : `it is ${approval.state}`;
    throw new HttpProblem({ status: 409, title: "Not decided", detail: `Nothing was changed: ${what}.` });
  }
  c.executionCtx.waitUntil(ring(getBells(c.env), doorbells, "ingress"));
  log("info", { stage: "ingress", effect: "decided", key: id, state: approval.state, by_this: isMine });
  return c.json<ApprovalView>(view(approval));
});

const OUTCOMES = {
  approved: "✅ **Approved**",
  denied: "⛔ **Denied**",
  answered: "💬 **Answered**",
} as const satisfies Record<Decided["state"], string>;

function readVerdict(sent: z.infer<typeof NewDecision>): Decided {
  switch (sent.decision) {
    case "approve":
      return { state: "approved" };
    case "deny":
      return { state: "denied", text: sent.reason ?? null };
    case "answer":
      return { state: "answered", text: sent.answer };
  }
}

function view({
  task_id: task,
  requested_at,
  expires_at,
  decided_at,
  decided_by,
  ...rest
}: Approval): ApprovalView {
  return {
    ...rest,
    task,
    decided_by: decided_by === null ? null : shortenKey(decided_by),
    requested_at: formatTime(requested_at),
    expires_at: formatTime(expires_at),
    decided_at: decided_at === null ? null : formatTime(decided_at),
  };
}
