/** Telling one alert to one sink: again after a while where it is down, up to a bound, and then not at all. */
import { describeError } from "../../../shared/errors.ts";
import { LIMITS, type Timings } from "../../../shared/limits.ts";
import { log, redact } from "../../../shared/log.ts";
import { type DueNotice, settleNotice } from "../../../shared/store/alerts.ts";
import { toOneLine } from "../../../shared/text.ts";
import type { Env } from "../env.ts";
import { SINKS } from "./sinks/index.ts";
import type { Told } from "./sinks/sink.ts";
import { describeAlert } from "./words.ts";

/** Never fails: the next watch finds what was not told. */
export async function tell(env: Env, notice: DueNotice, timings: Timings): Promise<void> {
  const { kind, subject, state, sink, attempts } = notice;
  const facts = { stage: "notifier" as const, effect: "alert", kind, subject, state, sink };
  try {
    const told = await ask(env, notice, timings);
    if (told.kind === "told") {
      await settleNotice(env.DB, notice, "told");
      log(state === "firing" ? "error" : "info", { ...facts, detail: notice.detail });
      return;
    }
    if (told.kind === "underway") return;
    const isOver = told.kind === "refused" || attempts >= LIMITS.notice_attempts_max;
    if (isOver) await settleNotice(env.DB, notice, `given up: ${told.reason}`);
    log("warn", { ...facts, outcome: isOver ? "given up" : "later", attempts, detail: told.reason });
  } catch (error) {
    log("warn", { ...facts, outcome: "later", attempts, detail: describeError(error) });
  }
}

async function ask(env: Env, notice: DueNotice, timings: Timings): Promise<Told> {
  const sink = SINKS.find(({ name }) => name === notice.sink);
  if (sink === undefined || !sink.isConfigured(env))
    return { kind: "refused", reason: "it is not configured any more" };
  const named = (reason: string) => `${sink.variables.join(" with ")}: ${reason}`;
  try {
    const told = await sink.tell(env, notice, describeAlert(env, notice), timings);
    return "reason" in told ? { ...told, reason: named(told.reason) } : told;
  } catch (error) {
    // An address is a secret, too, and may be part of the words.
    const words = sink.variables.reduce(
      (text, variable) => {
        const value = env[variable] || variable;
        return text.replaceAll(value, variable).replaceAll(URL.parse(value)?.href ?? value, variable);
      },
      redact(describeError(error)),
    );
    return { kind: "later", reason: toOneLine(named(words), LIMITS.fault_chars_max) };
  }
}
