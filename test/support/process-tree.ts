/** The processes of an installation and what they listen on, from Linux's /proc. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface Listening {
  pid: number;
  port: number;
}

/** The process and all below it; nothing below where there is no /proc. */
export function treeOf(root: number): number[] {
  const parents = new Map(
    (existsSync("/proc/self/stat") ? readdirSync("/proc") : [])
      .filter((name) => /^\d+$/.test(name))
      .map((name) => [Number(name), parentOf(name)]),
  );
  const tree = [root];
  for (const pid of tree) for (const [child, parent] of parents) if (parent === pid) tree.push(child);
  return tree;
}

/** "pid (name) state ppid …", and the name may hold anything. */
function parentOf(pid: string): number | null {
  const [, parent] = /\) \S (\d+)/.exec(readText(`/proc/${pid}/stat`)) ?? [];
  return parent === undefined ? null : Number(parent);
}

/** Every TCP port that one of these processes listens on, whatever the address. */
export function listeningOf(pids: readonly number[]): Listening[] {
  const ports = new Map(["/proc/net/tcp", "/proc/net/tcp6"].flatMap(listeningSockets));
  return pids.flatMap((pid) =>
    socketsOf(pid).flatMap((socket) => {
      const port = ports.get(socket);
      return port === undefined ? [] : [{ pid, port }];
    }),
  );
}

/** Inodes and ports of sockets in the state LISTEN (0A). https://docs.kernel.org/networking/proc_net_tcp.html */
function listeningSockets(table: string): [inode: string, port: number][] {
  return readText(table)
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state]) => state === "0A")
    .map(([, local = "", , , , , , , , inode = ""]) => [
      inode,
      Number.parseInt(local.split(":")[1] ?? "", 16),
    ]);
}

function socketsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      const [, inode] = /^socket:\[(\d+)\]$/.exec(readlink(`/proc/${pid}/fd/${fd}`)) ?? [];
      return inode === undefined ? [] : [inode];
    });
  } catch {
    return [];
  }
}

export function environmentOf(pid: number): string {
  return readText(`/proc/${pid}/environ`);
}

function readlink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

/** Empty when it is not there, or not any more. */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
