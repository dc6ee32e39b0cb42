/** One command at a time on one installation: two would take each other's secrets' file away, and make a key each. */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** By this process. */
const held = new Set<string>();

/** Does the work while nobody else may. Throws in words when somebody does already; what a dead process has left is taken over. */
export async function whileLocked<Value>(
  folder: string,
  name: string,
  work: () => Promise<Value>,
): Promise<Value> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `${name}.pid`);
  await take(file, name);
  held.add(file);
  try {
    return await work();
  } finally {
    held.delete(file);
    await rm(file, { force: true });
  }
}

async function take(file: string, name: string): Promise<void> {
  try {
    await writeFile(file, String(process.pid), { flag: "wx" });
  } catch {
    const owner = Number(await readFile(file, "utf8").catch(() => "0"));
    if (isAlive(owner))
      throw new Error(`Process ${owner} is at work on ${name} already. Wait for it, or stop it.`);
    await writeFile(file, String(process.pid));
  }
}

function isAlive(pid: number): boolean {
  if (pid === 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
