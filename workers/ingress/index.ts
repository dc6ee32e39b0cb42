/** Ingress: the outside world. Chat apps, programs and the clock come in here; nothing goes out. */
import { Hono } from "hono";
import { readTimings } from "../../shared/config.ts";
import { describeError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { log } from "../../shared/log.ts";
import { sweep } from "../../shared/queue/sweep.ts";
import { ring } from "../../shared/queue/doorbell.ts";
import { isWatchLate } from "../../shared/store/alerts.ts";
import { loseReservations } from "../../shared/store/reserve.ts";
import { noteSign } from "../../shared/store/signs.ts";
import { CLOCKS } from "../../shared/store/statements/wrong.ts";
import { announceVersion, readVersion } from "../../shared/version.ts";
import { acceptWebhook } from "./accept.ts";
import { approvals } from "./api/approvals.ts";
import { artifacts } from "./api/artifacts.ts";
import { deadLetters } from "./api/dead-letters.ts";
import { files } from "./api/files.ts";
import { keys } from "./api/keys.ts";
import { people } from "./api/people.ts";
import { policy } from "./api/policy.ts";
import { status } from "./api/status.ts";
import { tasks } from "./api/tasks.ts";
import { usage } from "./api/usage.ts";
import { getBells, type Env } from "./env.ts";
import { HttpProblem } from "./problem.ts";
import { keepRetention } from "./retention.ts";

const app = new Hono<{ Bindings: Env }>();

app.use(async (c, next) => {
  announceVersion(c.env, "ingress", (work) => c.executionCtx.waitUntil(work));
  await next();
});
app.get("/", (c) =>
  c.text("Errand is running. POST /v1/tasks with a Bearer key, or write to it from a chat app.\n"),
);
app.get("/health", (c) => c.json({ status: "ok" }));
app.all("/hooks/:channel", acceptWebhook);
app.route("/v1/tasks", tasks);
app.route("/v1/dead-letters", deadLetters);
app.route("/v1/people", people);
app.route("/v1/keys", keys);
app.route("/v1/status", status);
app.route("/v1/policy", policy);
app.route("/v1/approvals", approvals);
app.route("/v1/usage", usage);
app.route("/v1/conversations", files);
app.route("/v1/artifacts", artifacts);
app.notFound((c) => {
  const detail = `There is nothing at ${c.req.method} ${c.req.path}.`;
  return new HttpProblem({ status: 404, title: "Not found", detail }).response();
});
app.onError((error) => {
  if (error instanceof HttpProblem) return error.response();
  log("error", { stage: "ingress", effect: "request", detail: describeError(error) });
  const detail = "The request could not be carried out now. Send it again.";
  return new HttpProblem({ status: 503, title: "Not done", detail }).response();
});

/** Sweeps of one ring of the clock: what is due beyond them waits for the next. */
const SWEEPS_MAX = 10;
/** On one's own machine it rings more often: what is done once a minute was done last at this ring. */
const MINUTE_MS = 60_000;
let minuteDone = 0;
/** The clock rings every minute; what is old goes once an hour. */
const PURGE_MINUTE = 17;

export default {
  fetch: app.fetch,
  async scheduled(controller, env) {
    const timings = readTimings(env);
    for (let i = 0; i < SWEEPS_MAX; i++) {
      const rung = await sweep(env.DB, getBells(env), env.DEAD_LETTERS, Date.now(), timings);
      if (rung > 0) log("info", { stage: "ingress", effect: "swept", doorbells: rung });
      if (rung < LIMITS.sweep_rows_max) break;
    }
    await loseReservations(env.DB, { now: Date.now() });
    const { scheduledTime } = controller;
    const isMinute = scheduledTime - minuteDone >= MINUTE_MS;
    if (isMinute) minuteDone = scheduledTime;
    const version = readVersion(env);
    if (version !== null) await noteSign(env.DB, { name: CLOCKS.sweep, version, now: Date.now() });
    // Each clock looks after the other: whoever consumes this keeps the watch, and tells of it.
    if (isMinute && version !== null && (await isWatchLate(env.DB, Date.now(), timings)))
      await ring(getBells(env), [{ queue: "replies", key: "late watch" }], "ingress");
    if (new Date(scheduledTime).getUTCMinutes() === PURGE_MINUTE) await keepRetention(env, scheduledTime);
  },
} satisfies ExportedHandler<Env>;
