/** One run at a time on one state: a second would take away what the first has claimed. */
import { readFileSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface Lock {
  /** The run before did not let go: it was killed, perhaps a moment ago. */
  wasHeld: boolean;
  release: () => Promise<void>;
}

/** Throws one clear line while another run is alive; what a dead one left is taken over. */
export async function lockState(state: string): Promise<Lock> {
  const file = join(state, "start.pid");
  const write = (flag: "wx" | "w") => writeFile(file, String(process.pid), { flag });
  const release = () => rm(file, { force: true });
  try {
    await write("wx");
    return { wasHeld: false, release };
  } catch {
    const owner = Number(await readFile(file, "utf8"));
    if (isStart(owner)) {
      throw new Error(
        `${state} is in use by process ${owner}. Stop it, or use another folder: npm start -- --state elsewhere`,
      );
    }
    await write("w");
    return { wasHeld: true, release };
  }
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
