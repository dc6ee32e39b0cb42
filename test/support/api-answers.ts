/** The contract of every answer of the API, by its request: a test that calls the API holds it to them. */
import assert from "node:assert/strict";
import * as z from "zod/mini";
import {
  Admitted,
  DeadLetterPage,
  FileList,
  FileView,
  Discarded,
  Dismissed,
  Forgotten,
  KeyPage,
  MadeKey,
  Revoked,
  MessageReference,
  PeoplePage,
  ProblemDetails,
  Replayed,
  Status,
  Task,
  TaskPage,
  TaskReference,
  WholeDeadLetter,
} from "../../shared/contracts/api.ts";
import { ApprovalPage, ApprovalView, PolicyView, UsageView } from "../../shared/contracts/control.ts";

const ANSWERS: readonly [method: string, path: RegExp, schema: z.core.$ZodType][] = [
  ["POST", /^\/tasks$/, TaskReference],
  ["GET", /^\/tasks(\?.*)?$/, TaskPage],
  ["GET", /^\/tasks\/[^/]+$/, Task],
  ["POST", /^\/tasks\/[^/]+\/cancel$/, TaskReference],
  ["POST", /^\/tasks\/[^/]+\/messages$/, MessageReference],
  ["GET", /^\/dead-letters$/, DeadLetterPage],
  ["GET", /^\/dead-letters\/[^/]+\/[^/]+$/, WholeDeadLetter],
  ["POST", /^\/dead-letters\/[^/]+\/[^/]+\/replay$/, Replayed],
  ["DELETE", /^\/dead-letters\/[^/]+\/[^/]+$/, Discarded],
  ["GET", /^\/people$/, PeoplePage],
  ["POST", /^\/people\/admit$/, Admitted],
  ["DELETE", /^\/people\/[^/]+$/, Dismissed],
  ["POST", /^\/people\/[^/]+\/forget$/, Forgotten],
  ["GET", /^\/keys$/, KeyPage],
  ["GET", /^\/policy(\?.*)?$/, PolicyView],
  ["PUT", /^\/policy$/, PolicyView],
  ["GET", /^\/approvals(\?.*)?$/, ApprovalPage],
  ["GET", /^\/approvals\/[^/]+$/, ApprovalView],
  ["POST", /^\/approvals\/[^/]+$/, ApprovalView],
  ["GET", /^\/usage$/, UsageView],
  ["GET", /^\/conversations\/[^/]+\/files$/, FileList],
  ["DELETE", /^\/conversations\/[^/]+\/files\/.+$/, FileView],
  ["GET", /^\/status$/, Status],
  ["POST", /^\/keys$/, MadeKey],
  ["DELETE", /^\/keys\/[^/]+$/, Revoked],
];

/** Throws when an answer is not of its contract, or holds more than it says. */
export function checkAnswer(method: string, path: string, ok: boolean, body: unknown): void {
  const [, , schema] = ANSWERS.find(([verb, pattern]) => verb === method && pattern.test(path)) ?? [];
  if (!ok) assert.deepEqual(z.parse(ProblemDetails, body), body);
  else if (schema === undefined)
    throw new Error(`${method} ${path} has no contract: add it to api-answers.ts`);
  else assert.deepEqual(z.parse(schema, body), body);
}
