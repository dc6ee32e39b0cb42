/** The processes of this machine, those in boxes too. */
import { readdir, readFile } from "node:fs/promises";

/** Whether this machine runs that command. */
export async function runs(command: string): Promise<boolean> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""));
  return (await Promise.all(lines)).some((line) => line.replaceAll("\0", " ").trim() === command);
}
