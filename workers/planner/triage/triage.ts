/** Triage: who may, which conversation, command or message, which task. A batch at a time, and never a model call. */
import { readTimings } from "../../../shared/config.ts";
import { InboundEvent } from "../../../shared/contracts/inbound.ts";
import { log, type LogLevel } from "../../../shared/log.ts";
import type { ReconcileAgain } from "../../../shared/queue/consume.ts";
import { ring } from "../../../shared/queue/doorbell.ts";
import { applyDecisions } from "../../../shared/store/apply-decisions.ts";
import { readNewInbound } from "../../../shared/store/inbound.ts";
import type { Decision } from "../../../shared/store/decision.ts";
import { getBells, type Env } from "../env.ts";
import { readAccess, type ReadInbound } from "../access.ts";
import { getAlbum, holdYoungAlbums } from "./albums.ts";
import { decide } from "./decide.ts";
import { refuseExcess } from "./excess.ts";

const LEVELS: Partial<Record<Decision["kind"], LogLevel>> = { ignore: "warn", park: "error" };

/** Decides what is to come of each new inbound, and carries all of it out in one batch. */
export async function triage(env: Env, inboundIds: readonly string[]): Promise<ReconcileAgain> {
  const started = Date.now();
  const rows = await readNewInbound(env.DB, inboundIds);
  const all = rows.map((inbound) => ({ inbound, event: parseEvent(inbound.event) }));
  const { read, again } = holdYoungAlbums(all, readTimings(env).album_ms, started);
  if (read.length === 0) return again;
  const known = read.flatMap(({ inbound, event }) => (event === null ? [] : [{ inbound, event }]));
  const accessOf = await readAccess(env, known);
  const albums = new Set(
    known.filter(({ event }) => !isSaidToOthers(event)).flatMap((one) => getAlbum(one) ?? []),
  );
  const wanted = await Promise.all(
    read.map(async ({ inbound, event }): Promise<Decision> => {
      if (event === null)
        return { kind: "park", inbound, reason: "the stored event is not of the inbound contract" };
      const one: ReadInbound = { inbound, event };
      // A picture of an album goes with the one that speaks to the bot, if they were read together.
      if (isSaidToOthers(event) && !albums.has(getAlbum(one) ?? ""))
        return { kind: "ignore", inbound, reason: "said to others" };
      return decide(env, one, accessOf(one));
    }),
  );
  const decisions = refuseExcess(wanted);
  const doorbells = await applyDecisions(env.DB, decisions, Date.now(), readTimings(env));
  await ring(getBells(env), doorbells, "planner");
  for (const decision of decisions) report(decision, Date.now() - started);
  return again;
}

function isSaidToOthers(event: InboundEvent): boolean {
  return "isToOthers" in event && event.isToOthers === true;
}

function report(decision: Decision, latencyMs: number): void {
  const { inbound, kind } = decision;
  log(LEVELS[kind] ?? "info", {
    stage: "planner",
    effect: "triaged",
    decision: kind,
    key: inbound.id,
    session_id: inbound.conversation_id,
    latency_ms: latencyMs,
    ...("reason" in decision ? { detail: decision.reason } : {}),
  });
}

function parseEvent(text: string): InboundEvent | null {
  try {
    return InboundEvent.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
