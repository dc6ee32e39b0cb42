/** One D1 round trip with named statements, and rows read through a schema instead of a cast. */
import * as z from "zod/mini";

/** Runs the statements in their order, as one transaction; the answer is asked for by name. */
export async function runBatch<Statements extends Readonly<Record<string, D1PreparedStatement>>>(
  db: D1Database,
  statements: Statements,
): Promise<(name: keyof Statements & string) => D1Result> {
  const names = Object.keys(statements);
  const results = await db.batch(Object.values<D1PreparedStatement>(statements));
  return (name) => {
    const result = results[names.indexOf(name)];
    if (result === undefined) throw new Error(`D1 gave no result for the statement "${name}"`);
    return result;
  };
}

/** The rows of a result; throws when they are not of the schema's shape. */
export function rowsOf<Schema extends z.core.$ZodType>(result: D1Result, schema: Schema): z.output<Schema>[] {
  return z.array(schema).parse(result.results);
}

/** The first row, if there is one. */
export function rowOf<Schema extends z.core.$ZodType>(
  result: D1Result,
  schema: Schema,
): z.output<Schema> | undefined {
  return rowsOf(result, schema)[0];
}

/** A column that holds JSON of this shape. */
export function jsonColumn<Schema extends z.core.$ZodType>(schema: Schema) {
  return z.pipe(
    z.pipe(
      z.string(),
      z.transform((text: string): unknown => JSON.parse(text)),
    ),
    schema,
  );
}

/** `state IN (…)` as the partial index of active tasks spells it, so that SQLite uses the index. */
export const ACTIVE = "state IN ('queued', 'running', 'waiting')";
