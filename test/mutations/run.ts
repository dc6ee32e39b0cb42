/** `npm run test:mutations [name…]`: takes away what holds the promise, one thing at a time, and demands that a test turns red. */
import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Mutation } from "./mutation.ts";
import { MUTATIONS } from "./table.ts";

const COPIED = [
  "scripts",
  "shared",
  "fakes",
  "bench",
  "docs",
  "test",
  "workers",
  "wrangler",
  "package.json",
  "vitest.config.ts",
  "tsconfig.json",
  ".dev.vars.example",
];
const RUN_MS_MAX = 600_000;

const wanted = process.argv.slice(2);
const chosen = MUTATIONS.filter(
  ({ name }) => wanted.length === 0 || wanted.some((words) => name.includes(words)),
);
const folder = await mkdtemp(join(tmpdir(), "errand-mutations-"));
let survivors = 0;
try {
  for (const name of COPIED) await cp(name, join(folder, name), { recursive: true });
  await symlink(resolve("node_modules"), join(folder, "node_modules"));
  for (const mutation of chosen) {
    const caught = await caughtBy(mutation);
    if (caught === null) survivors++;
    console.log(
      caught === null ? `SURVIVED  ${mutation.name}` : `caught    ${mutation.name}\n          by ${caught}`,
    );
  }
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
console.log(`${chosen.length - survivors} of ${chosen.length} caught`);
process.exitCode = survivors === 0 && chosen.length > 0 ? 0 : 1;

/** The test that turned red: looked for where it is likely first, and then everywhere. */
async function caughtBy({ name, file, find, replace, test }: Mutation): Promise<string | null> {
  const path = join(folder, file);
  const text = await readFile(path, "utf8");
  if (text.split(find).length !== 2)
    throw new Error(`"${name}": ${file} must hold this exactly once: ${find}`);
  await writeFile(
    path,
    text.replace(find, () => replace),
  );
  try {
    return (await firstFailure([test])) ?? (await firstFailure([]));
  } finally {
    await writeFile(path, text);
  }
}

/** Runs tests until one fails, and returns its name. */
async function firstFailure(filters: readonly string[]): Promise<string | null> {
  const failures = join(folder, "failures.txt");
  await rm(failures, { force: true });
  const args = ["run", `--reporter=${resolve("test/mutations/failures.ts")}`, ...filters];
  const child = spawn(resolve("node_modules/.bin/vitest"), args, {
    cwd: folder,
    stdio: "ignore",
    // A snapshot that is not there is a failure, not a file to write.
    env: { ...process.env, CI: "true", MUTATED: "true", FAILURES: failures },
    timeout: RUN_MS_MAX,
  });
  const code = await new Promise<number | null>((done) => child.once("close", done));
  const [first] = (await readFile(failures, "utf8").catch(() => "")).split("\n");
  if (first !== undefined && first !== "") return first;
  if (code === 0) return null;
  throw new Error(`vitest ended with ${code} and named no test: run it by hand with ${args.join(" ")}`);
}
