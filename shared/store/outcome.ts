/** What the store answers to whoever asks with an API key. */
import type * as z from "zod/mini";
import type { Results } from "./batch.ts";

export interface Unauthorized {
  readonly kind: "unauthorized";
}
export interface NotFound {
  readonly kind: "not_found";
}
export interface Found<Value> {
  readonly kind: "ok";
  readonly value: Value;
}
/** What was asked for; or the key is nobody's; or its tenant has no such thing. */
export type Outcome<Value> = Found<Value> | NotFound | Unauthorized;

export const UNAUTHORIZED: Unauthorized = { kind: "unauthorized" };
export const NOT_FOUND: NotFound = { kind: "not_found" };

export function found<Value>(value: Value): Found<Value> {
  return { kind: "ok", value };
}

/** The row of that name, if there is one, and if the statement "key" has found the key. */
export function readOutcome<Schema extends z.core.$ZodType>(
  results: Results,
  name: string,
  schema: Schema,
): Outcome<z.output<Schema>> {
  if (!results.has("key")) return UNAUTHORIZED;
  const row = results.row(name, schema);
  return row === undefined ? NOT_FOUND : found(row);
}

/** The rows of that name, if the statement "key" has found the key. */
export function readList<Schema extends z.core.$ZodType>(
  results: Results,
  name: string,
  schema: Schema,
): Found<z.output<Schema>[]> | Unauthorized {
  return results.has("key") ? found(results.rows(name, schema)) : UNAUTHORIZED;
}
