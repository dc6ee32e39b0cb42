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
  if (held.has(file)) throw isTaken(file, process.pid);
  held.add(file);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await take(file);
    try {
      return await work();
    } finally {
      await rm(file, { force: true });
    }
  } finally {
    held.delete(file);
  }
}

const isTaken = (file: string, pid: number) =>
  new Error(`Process ${pid} is at work on this installation already (${file}). Wait for it, or stop it.`);

/** By a link to a file that is written whole: whoever reads the lock reads who holds it. */
async function take(file: string): Promise<void> {
  const own = `${file}.${process.pid}`;
  const me = `${process.pid} ${await readStart(process.pid)}`;
  await writeFile(own, me);
  try {
    await link(own, file);
  } catch {
    const [pid = 0, start = ""] = (await readFile(file, "utf8").catch(() => "")).split(" ");
    if (await isAlive(Number(pid), start)) throw isTaken(file, Number(pid));
    await writeFile(file, me);
  } finally {
    await rm(own, { force: true });
  }
}

/** A number may have gone to somebody else, who has begun at another time. */
async function isAlive(pid: number, start: string): Promise<boolean> {
  if (pid === 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return (await readStart(pid)) === start;
  } catch {
    return false;
  }
}

/** When a process has begun, as Linux counts it; empty elsewhere, and of one that is dead and was not taken notice of. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
async function readStart(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return state === "Z" ? "dead" : (fields[18] ?? "");
}
