/** One D1 round trip with named statements, and rows read through a schema instead of a cast. */
import type { Sql } from "sql-template-tag";
import * as z from "zod/mini";
import { PendingDoorbell } from "../contracts/doorbell.ts";

/** Statements that run in their order, as one transaction. Each has a name, by which its result is asked for. */
export class Batch {
  private readonly statements: Map<string, Sql>;
  private readonly ringing: Set<string>;
  private readonly prefix: string;

  constructor(statements = new Map<string, Sql>(), ringing = new Set<string>(), prefix = "") {
    this.statements = statements;
    this.ringing = ringing;
    this.prefix = prefix;
  }

  /** The same batch, to which names are added below this one: what happens several times in it has its names several times. */
  within(name: string): Batch {
    return new Batch(this.statements, this.ringing, `${this.prefix}${name}: `);
  }

  /** Throws on a name that is taken: the second statement would take the place of the first. */
  add(name: string, statement: Sql): this {
    const whole = `${this.prefix}${name}`;
    if (this.statements.has(whole)) throw new Error(`The batch has a statement "${whole}" already.`);
    this.statements.set(whole, statement);
    return this;
  }

  /** A statement that ends with `RETURNING queue, key`: whoever runs the batch rings what it returns. */
  addRinging(name: string, statement: Sql): this {
    this.add(name, statement);
    this.ringing.add(`${this.prefix}${name}`);
    return this;
  }

  async run(db: D1Database): Promise<Results> {
    const names = [...this.statements.keys()];
    const prepared = [...this.statements.values()].map((statement) => prepare(db, statement));
    const results = await db.batch(prepared);
    return new Results(new Map(names.map((name, index) => [name, results[index]])), this.ringing);
  }
}

export class Results {
  private readonly results: ReadonlyMap<string, D1Result | undefined>;
  private readonly ringing: ReadonlySet<string>;

  constructor(results: ReadonlyMap<string, D1Result | undefined>, ringing: ReadonlySet<string>) {
    this.results = results;
    this.ringing = ringing;
  }

  /** How many rows the statement has changed. */
  changes(name: string): number {
    return this.of(name).meta.changes;
  }

  /** The rows of a result; throws when they are not of the schema's shape. */
  rows<Schema extends z.core.$ZodType>(name: string, schema: Schema): z.output<Schema>[] {
    return rowsOf(this.of(name), schema);
  }

  /** The first row, if there is one. */
  row<Schema extends z.core.$ZodType>(name: string, schema: Schema): z.output<Schema> | undefined {
    return this.rows(name, schema)[0];
  }

  has(name: string): boolean {
    return this.of(name).results.length > 0;
  }

  /** What is to be rung now. */
  doorbells(): PendingDoorbell[] {
    return [...this.ringing].flatMap((name) => this.rows(name, PendingDoorbell));
  }

  private of(name: string): D1Result {
    const result = this.results.get(name);
    if (result === undefined) throw new Error(`D1 gave no result for the statement "${name}".`);
    return result;
  }
}

/** One statement, for those that are a transition by themselves. */
export function prepare(db: D1Database, { sql, values }: Sql): D1PreparedStatement {
  return db.prepare(sql).bind(...values);
}

/** The rows that one statement answers. */
export async function select<Schema extends z.core.$ZodType>(
  db: D1Database,
  statement: Sql,
  schema: Schema,
): Promise<z.output<Schema>[]> {
  return rowsOf(await prepare(db, statement).all(), schema);
}

function rowsOf<Schema extends z.core.$ZodType>(result: D1Result, schema: Schema): z.output<Schema>[] {
  return z.array(schema).parse(result.results);
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
