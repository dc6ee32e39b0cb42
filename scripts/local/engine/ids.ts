/** User namespaces: whoever is root in one is nobody outside of it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readlink, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** Ids inside are these outside, which no account has: see `/etc/subuid`. */
const FIRST_ID = 2_000_000;
const IDS = 65_536;
const LOOK_EVERY_MS = 2;
const LOOKS_MAX = 2_500;

/** Root becomes root of the namespace; anybody else is mapped to it as they are. */
const isRoot = () => process.getuid?.() === 0;

/** What `nsenter` takes to go into one. */
export const entering = (pid: number | undefined): string[] => [
  "nsenter",
  "-t",
  String(pid),
  "-U",
  ...(isRoot() ? [] : ["--preserve-credentials"]),
];

/** The same for its network alone, with this machine's files. */
export const enteringNetwork = (pid: number): string[] => [
  "nsenter",
  "-t",
  String(pid),
  ...(isRoot() ? [] : ["-U", "--preserve-credentials"]),
  "-n",
];

/** A process that holds a new one, until its stdin is closed. Throws where this machine has none. */
export async function holdIds(): Promise<ChildProcess> {
  const holder = spawn("unshare", ["--user", "cat"], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  const refused = Promise.race([once(holder, "error"), once(holder, "exit")]).then(() => false);
  refused.catch(() => undefined);
  const isInside = await Promise.race([refused, entered(holder.pid)]);
  if (!isInside) throw new Error("user namespaces are refused, or `unshare` is not installed");
  const at = `/proc/${holder.pid}`;
  if (isRoot()) {
    for (const map of ["uid_map", "gid_map"]) await writeFile(`${at}/${map}`, `0 ${FIRST_ID} ${IDS}`);
  } else {
    await writeFile(`${at}/setgroups`, "deny");
    await writeFile(`${at}/uid_map`, `0 ${process.getuid?.()} 1`);
    await writeFile(`${at}/gid_map`, `0 ${process.getgid?.()} 1`);
  }
  return holder;
}

/** Whether it has come into a namespace of its own, as it does first of all. */
async function entered(pid: number | undefined): Promise<boolean> {
  const ours = await readlink("/proc/self/ns/user");
  for (let look = 1; look <= LOOKS_MAX; look++) {
    const theirs = await readlink(`/proc/${pid}/ns/user`).catch(() => ours);
    if (theirs !== ours) return true;
    await sleep(LOOK_EVERY_MS);
  }
  return false;
}
