/** What the store answers to whoever asks with an API key. */
import * as z from "zod/mini";
import type { Results } from "./batch.ts";

/** The key is nobody's, or has expired. */
interface Unauthorized {
  readonly kind: "unauthorized";
}
/** The key may not do this: the scopes of which it needs one. */
interface Forbidden {
  readonly kind: "forbidden";
  readonly needed: string;
}
export type Refused = Unauthorized | Forbidden;
export interface NotFound {
  readonly kind: "not_found";
}
export interface Found<Value> {
  readonly kind: "ok";
  readonly value: Value;
}
/** What was asked for; or the key may not have it; or its tenant has no such thing. */
export type Outcome<Value> = Found<Value> | NotFound | Refused;

export const NOT_FOUND: NotFound = { kind: "not_found" };

export function found<Value>(value: Value): Found<Value> {
  return { kind: "ok", value };
}

const Key = z.object({ tenant_id: z.string(), may: z.int(), needed: z.string() });

/** Why the statement "key" (`findKey`) refuses, if it does. */
export function readRefusal(results: Results): Refused | null {
  const key = results.row("key", Key);
  if (key === undefined) return { kind: "unauthorized" };
  return key.may === 1 ? null : { kind: "forbidden", needed: key.needed };
}

/** The row of that name, if there is one, and if the statement "key" has found a key that may. */
export function readOutcome<Schema extends z.core.$ZodType>(
  results: Results,
  name: string,
  schema: Schema,
): Outcome<z.output<Schema>> {
  const refusal = readRefusal(results);
  if (refusal !== null) return refusal;
  const row = results.row(name, schema);
  return row === undefined ? NOT_FOUND : found(row);
}

/** The rows of that name, if the statement "key" has found a key that may. */
export function readList<Schema extends z.core.$ZodType>(
  results: Results,
  name: string,
  schema: Schema,
): Found<z.output<Schema>[]> | Refused {
  return readRefusal(results) ?? found(results.rows(name, schema));
}
