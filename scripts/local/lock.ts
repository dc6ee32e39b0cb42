/** One run at a time on one state: a second would take away what the first has claimed. */
import { readFileSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Throws one clear line while another run is alive; what a dead one left is taken over. Returns how to let go. */
export async function lockState(state: string): Promise<() => Promise<void>> {
  const file = join(state, "start.pid");
  const write = (flag: "wx" | "w") => writeFile(file, String(process.pid), { flag });
  try {
    await write("wx");
  } catch {
    const owner = Number(await readFile(file, "utf8"));
    if (isStart(owner)) {
      throw new Error(
        `${state} is in use by process ${owner}. Stop it, or use another folder: npm start -- --state elsewhere`,
      );
    }
    await write("w");
  }
  return () => rm(file, { force: true });
}

/** Whether the process is a start script: its number alone may have gone to somebody else. */
function isStart(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return (
      process.platform !== "linux" ||
      readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("scripts/start.ts")
    );
  } catch {
    return false;
  }
}
