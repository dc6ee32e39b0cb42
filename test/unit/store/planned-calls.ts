/** Calls of the store whose statements are looked at by plans.test.ts: what a turn may cost, and the files of a conversation. */
import type { TurnClaim } from "../../../shared/store/statements/guards.ts";
import { loseReservations, reserve, settle } from "../../../shared/store/reserve.ts";
import { changeProgramFiles, listProgramFiles } from "../../../shared/store/program-files.ts";
import { changeByCall, readManifest, readWorkspace } from "../../../shared/store/workspace.ts";
import { CALLER } from "../builders.ts";

export async function callSpending(d: D1Database, claim: TurnClaim, now: number): Promise<void> {
  const cap = { tokens: 1, usd: 1 };
  const amount = {
    tokensIn: 1,
    tokensOutMin: 1,
    tokensOutMax: 1,
    price: { input: 1, output: 1 },
    approvalId: "appr_a",
  };
  await reserve(d, { ...claim, ...amount, caps: { task: cap, sender: cap, tenant: cap }, until: now }, now);
  await settle(d, "c", { tokens: 1, microUsd: 1 });
  for (const which of [{ now: now }, { taskId: "task_a" }]) await loseReservations(d, which);
}

export async function callWorkspace(d: D1Database, now: number): Promise<void> {
  await readManifest(d, "conv_a");
  const place = { caller: CALLER, tenantId: "default", conversationId: "conv_a" };
  await listProgramFiles(d, place);
  await changeProgramFiles(d, place, []);
  const call = { taskId: "task_a", turn: 1, call: 1 };
  await readWorkspace(d, call, "conv_a");
  await changeByCall(d, call, { conversationId: "conv_a", changes: [], said: "x" }, now);
}
