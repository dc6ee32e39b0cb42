/** SQL as D1's HTTP API carries it out: all statements of a text in one transaction, with a result for each. */
import type { DatabaseSync } from "node:sqlite";
import { Refusal } from "./account.ts";

export function query(db: DatabaseSync, sql: string): unknown[] {
  try {
    db.exec("BEGIN");
    const results = split(sql).map((statement) => {
      const prepared = db.prepare(statement);
      const reads = /^\s*(?:select|pragma|with|explain)/i.test(statement) || /returning/i.test(statement);
      const rows = reads ? prepared.all() : (prepared.run(), []);
      return {
        success: true,
        results: rows,
        meta: { duration: 0.1, rows_read: rows.length, rows_written: 0, changes: 0 },
      };
    });
    db.exec("COMMIT");
    return results;
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw new Refusal(400, 7_500, `${error instanceof Error ? error.message : String(error)}: SQLITE_ERROR`);
  }
}

const TOKENS = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|\b\w+\b|[\s\S]/g;

/** `node:sqlite` prepares the first statement of a text only. */
function split(sql: string): string[] {
  const statements: string[] = [];
  let current = "";
  let depth = 0;
  for (const token of sql.match(TOKENS) ?? []) {
    if (/^(?:--|\/\*)/.test(token)) continue;
    if (/^case$/i.test(token) || (/^begin$/i.test(token) && /create\s+trigger/i.test(current))) depth++;
    if (/^end$/i.test(token) && depth > 0) depth--;
    if (token === ";" && depth === 0) {
      statements.push(current);
      current = "";
    } else current += token;
  }
  return [...statements, current].filter((statement) => statement.trim() !== "");
}
