/** One container of the engine: processes in namespaces of their own, over this machine's programs and files in memory. Linux only. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { entering, holdIds } from "./ids.ts";

/** What a box may take of this machine. Processor time it shares with everybody: a job has an end of its own. */
const LIMITS = {
  /** Of its files, which lie in memory. */
  files_bytes_max: 1024 ** 3,
  /** Of one process. */
  data_bytes_max: 2 * 1024 ** 3,
  /** A fork bomb ends here. */
  processes_max: 256,
};
const BOUND = [
  "prlimit",
  `--nproc=${LIMITS.processes_max}`,
  `--data=${LIMITS.data_bytes_max}`,
  // They would go wherever this machine has them go.
  "--core=0",
  "--",
];
/** Given as text: whoever is nobody here may not be let into the folder that they lie in. */
const readScript = (name: string) => readFileSync(fileURLToPath(import.meta.resolve(name)), "utf8");
const BOX = readScript("./box.sh");
const ROOT = readScript("./root.sh");
/** Nothing of this process's own environment. */
const BASE = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root" };
const READY_MS_MAX = 30_000;
/** What a box has of its own, but for `/etc`, `/dev` and `/proc`. */
const WRITABLE = "home mnt opt root run srv tmp var workspace".split(" ");
const COMPLAINT_CHARS_MAX = 300;
/** tar's word for a file that has changed while it was read. */
const CHANGED_MEANWHILE = 1;

export type Variables = Readonly<Record<string, string>>;

export interface Command {
  readonly argv: readonly string[];
  readonly env: Variables;
  /** Null: the root. */
  readonly folder: string | null;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

export class Box {
  private readonly process: ChildProcess;
  /** Of its first process, outside. */
  readonly pid: number;
  /** How its first process has ended. */
  readonly ended: Promise<number>;
  /** The same; null while it runs. */
  exitCode: number | null = null;

  private constructor(process: ChildProcess, pid: number, ended: Promise<number>) {
    this.process = process;
    this.pid = pid;
    this.ended = ended.then((code) => (this.exitCode = code));
  }

  /** Resolves when its first process begins. @param restore a file that `save` has written. Throws what the machine says when it cannot. */
  static async start(argv: readonly string[], env: Variables, restore: string | null): Promise<Box> {
    const holder = await holdIds();
    const saved = restore === null ? [] : [openSync(restore, "r")];
    try {
      const script = ["sh", "-c", BOX, "sh", ROOT, String(LIMITS.files_bytes_max)];
      const [command = "", ...args] = [...entering(holder.pid), ...script, ...BOUND, ...argv];
      const stdio = ["ignore" as const, "pipe" as const, "pipe" as const, "pipe" as const, ...saved];
      const started = spawn(command, args, { stdio, env: { ...BASE, ...env }, detached: true });
      const ended = awaitCode(started);
      return new Box(started, await awaitReady(started, ended), ended);
    } finally {
      holder.stdin?.end();
      for (const fd of saved) closeSync(fd);
    }
  }

  /** Begins a command in it. */
  exec({ argv, env, folder, stdin, stdout, stderr }: Command): ChildProcess {
    const inside = [...entering(this.pid), "-m", "-n", "-p", "-i", "-u", ...BOUND];
    const at = folder === null ? [] : ["sh", "-c", 'cd "$0" && exec "$@"', folder];
    const [command = "", ...args] = [...inside, ...at, ...argv];
    return spawn(command, args, {
      stdio: [pipe(stdin), pipe(stdout), pipe(stderr)],
      env: { ...BASE, ...env },
      // A session of its own: what is in a box has nothing of the terminal.
      detached: true,
    });
  }

  /** Writes all files that are its own. Throws when that fails. */
  async save(file: string): Promise<void> {
    const argv = ["tar", "-C", "/", "-cf", "-", ...WRITABLE];
    const tar = this.exec({ argv, env: {}, folder: null, stdin: false, stdout: true, stderr: false });
    const ended = awaitCode(tar);
    if (tar.stdout !== null) await writeFile(file, tar.stdout, { mode: 0o600 });
    const code = await ended;
    if (code > CHANGED_MEANWHILE) throw new Error(`tar ended with ${code}`);
  }

  /** Sends a signal, such as SIGTERM, to its first process. */
  signal(name: string): void {
    if (this.exitCode === null && isSignal(name)) process.kill(this.pid, name);
  }

  /** Ends it, with all that is in it. */
  async kill(): Promise<void> {
    this.process.stdio[3]?.destroy();
    await this.ended;
  }
}

const pipe = (isOpen: boolean) => (isOpen ? "pipe" : "ignore");
const isSignal = (name: string): name is NodeJS.Signals => name in constants.signals;

/** With 128 and the signal's number where a signal has ended it; 126 where it could not begin. */
export function awaitCode(process: ChildProcess): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  process.once("exit", (code, signal) =>
    resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
  );
  process.once("error", () => resolve(126));
  return promise;
}

/** @returns the pid that root.sh tells. Throws what was complained of. */
async function awaitReady(started: ChildProcess, ended: Promise<number>): Promise<number> {
  let complaint = "";
  started.stderr?.on("data", (chunk: Buffer) => {
    complaint = `${complaint}${chunk.toString()}`.slice(0, COMPLAINT_CHARS_MAX);
  });
  const failed = ended.then((code): never => {
    throw new Error(`a box cannot be made on this machine (${code}): ${complaint}`);
  });
  failed.catch(() => undefined);
  const timer = setTimeout(() => started.stdio[3]?.destroy(), READY_MS_MAX);
  try {
    return await Promise.race([started.stdout === null ? failed : readPid(started.stdout), failed]);
  } finally {
    clearTimeout(timer);
    // What runs in it then has no say here.
    started.stderr?.destroy();
    started.stdout?.destroy();
  }
}

/** Never, if it is not told. */
function readPid(stdout: Readable): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  let said = "";
  stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
    const [, pid] = /ready (\d+)\n/.exec(said) ?? [];
    if (pid !== undefined) resolve(Number(pid));
  });
  return promise;
}
