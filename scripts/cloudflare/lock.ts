/** One command at a time on one installation: two would take each other's secrets' file away, and make a key each. */
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Those that this process holds. */
const held = new Set<string>();

/** Does the work while nobody else may. Throws in words when somebody does already; what a dead process has left is taken over. */
export async function whileLocked<Value>(
  folder: string,
  name: string,
  work: () => Promise<Value>,
): Promise<Value> {
  const file = join(folder, `${name}.pid`);
  if (held.has(file)) throw isTaken(name, process.pid);
  held.add(file);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await take(file, name);
    try {
      return await work();
    } finally {
      await rm(file, { force: true });
    }
  } finally {
    held.delete(file);
  }
}

const isTaken = (name: string, pid: number) =>
  new Error(`Process ${pid} is at work on ${name} already. Wait for it, or stop it.`);

/** By a link to a file that is written whole: whoever reads the lock reads who holds it. */
async function take(file: string, name: string): Promise<void> {
  const own = `${file}.${process.pid}`;
  await writeFile(own, String(process.pid));
  try {
    await link(own, file);
  } catch {
    const owner = Number(await readFile(file, "utf8").catch(() => "0"));
    if (isAlive(owner)) throw isTaken(name, owner);
    await writeFile(file, String(process.pid));
  } finally {
    await rm(own, { force: true });
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
