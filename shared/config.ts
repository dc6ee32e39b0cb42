/** Settings that several Workers read from their variables. A setting that cannot be read names itself and refuses to serve. */
import * as z from "zod/mini";
import { TIMINGS, type Timings } from "./limits.ts";

export interface SharedSettings {
  /** JSON that overrides some of `TIMINGS`, such as `{"task_deadline_ms": 60000}`. */
  ERRAND_TIMINGS?: string;
}

const Milliseconds = z.optional(z.int().check(z.gte(0)));
const Overrides = z.strictObject(
  Object.fromEntries(Object.keys(TIMINGS).map((name) => [name, Milliseconds])),
);

/** What was read last: the variable stays the same for as long as the Worker lives, and is asked for at every hop. */
let known: { text: string; timings: Timings } | null = null;

/** The defaults with the overrides laid over them. Throws with the variable's name when they cannot be read. */
export function readTimings(settings: SharedSettings): Timings {
  const text = settings.ERRAND_TIMINGS;
  if (text === undefined || text === "") return TIMINGS;
  if (known?.text !== text) known = { text, timings: read(text) };
  return known.timings;
}

function read(text: string): Timings {
  const parsed = Overrides.safeParse(parseJson(text));
  if (parsed.success) return { ...TIMINGS, ...parsed.data };
  throw new Error(`ERRAND_TIMINGS cannot be read: ${parsed.error.issues.map(describeIssue).join("; ")}`);
}

function describeIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") return `there is no ${issue.keys.join(", ")}`;
  return issue.path.length === 0
    ? 'it must be JSON, such as {"task_deadline_ms": 600000}'
    : `${issue.path.join(".")} must be whole milliseconds, 0 or more`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
