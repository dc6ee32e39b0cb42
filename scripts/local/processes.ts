/** The processes below a process. They share our group, so that whoever kills the group kills all of it. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** Kills a process and everything below it, at once. */
export function killTree(pid: number): void {
  const parents = parentsByPid();
  const doomed = [pid];
  for (let i = 0; i < doomed.length; i++) {
    for (const [child, parent] of parents) if (parent === doomed[i]) doomed.push(child);
  }
  for (const one of doomed) {
    try {
      process.kill(one, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}

function parentsByPid(): Map<number, number> {
  if (process.platform === "linux") return fromProc();
  const rows = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  return new Map(
    rows.map((row) => row.trim().split(/\s+/).map(Number)).map(([pid = 0, parent = 0]) => [pid, parent]),
  );
}

/** Slim images have no `ps`. */
function fromProc(): Map<number, number> {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // "pid (name) state ppid …", and the name may hold anything.
      const [, parent] = /\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, "utf8")) ?? [];
      if (parent !== undefined) parents.set(Number(name), Number(parent));
    } catch {
      // It ended while we read.
    }
  }
  return parents;
}
