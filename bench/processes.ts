/** What workerd takes: CPU time and memory, from Linux's /proc. Elsewhere there are none of these numbers. */
import { readText, treeOf } from "../test/support/process-tree.ts";

/** Linux counts in hundredths of a second, whatever the kernel's clock. */
const TICKS_PER_SECOND = 100;
const SAMPLE_EVERY_MS = 200;

/** The workerd processes below this one. */
export function workerds(): number[] {
  return treeOf(process.pid).filter((pid) => readText(`/proc/${pid}/cmdline`).includes("workerd"));
}

function cpuSecondsOf(pids: readonly number[]): number {
  return sum(pids, (pid) => {
    const fields = statOf(pid);
    return fields === null ? 0 : (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  });
}

/** Memory that is theirs alone, and their share of what they share (PSS), now. https://docs.kernel.org/filesystems/proc.html */
export function sharedMemoryMibOf(pids: readonly number[]): number {
  return sum(pids, (pid) => {
    const [, kib = "0"] = /^Pss:\s+(\d+)/m.exec(readText(`/proc/${pid}/smaps_rollup`)) ?? [];
    return Number(kib) / 1_024;
  });
}

/** Resident memory, now. */
function memoryMibOf(pids: readonly number[]): number {
  return sum(pids, (pid) => {
    const [, kib = "0"] = /VmRSS:\s+(\d+)/.exec(readText(`/proc/${pid}/status`)) ?? [];
    return Number(kib) / 1_024;
  });
}

function sum(pids: readonly number[], of: (pid: number) => number): number {
  return pids.reduce((total, pid) => total + of(pid), 0);
}

/** Watches processes while something runs. */
export async function measured<Result>(
  pids: readonly number[],
  work: () => Promise<Result>,
): Promise<{ result: Result; cpuSeconds: number; peakMib: number; grownMib: number }> {
  const cpu = cpuSecondsOf(pids);
  const before = memoryMibOf(pids);
  let peakMib = before;
  const timer = setInterval(() => (peakMib = Math.max(peakMib, memoryMibOf(pids))), SAMPLE_EVERY_MS);
  const result = await work().finally(() => clearInterval(timer));
  return { result, cpuSeconds: cpuSecondsOf(pids) - cpu, peakMib, grownMib: memoryMibOf(pids) - before };
}

/** The fields after the command, which may hold anything. */
function statOf(pid: number): string[] | null {
  const text = readText(`/proc/${pid}/stat`);
  return text === "" ? null : text.slice(text.lastIndexOf(")") + 2).split(" ");
}
