/** What the store answers to whoever asks with an API key. */
import type * as z from "zod/mini";
import { rowOf, rowsOf } from "./batch.ts";

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

/** The row, if the key was known and there is one. `key` is the result of a statement that looks for the key. */
export function outcomeOf<Schema extends z.core.$ZodType>(
  key: D1Result,
  result: D1Result,
  schema: Schema,
): Outcome<z.output<Schema>> {
  if (key.results.length === 0) return UNAUTHORIZED;
  const row = rowOf(result, schema);
  return row === undefined ? NOT_FOUND : found(row);
}

/** The rows, if the key was known. */
export function listOf<Schema extends z.core.$ZodType>(
  key: D1Result,
  result: D1Result,
  schema: Schema,
): Found<z.output<Schema>[]> | Unauthorized {
  return key.results.length === 0 ? UNAUTHORIZED : found(rowsOf(result, schema));
}
