/** A job in a container: begun apart from whoever asks for it, looked at, and ended with all that it has begun. */
import type { JobOrder } from "../../shared/contracts/job.ts";
import { LIMITS } from "../../shared/limits.ts";
import END from "./inside/end.sh";
import RUN from "./inside/run.sh";
import STATUS from "./inside/status.sh";
import type { Machine } from "./machine.ts";

const JOBS = "/var/lib/errand";
/** How the shell says that the folder was there. */
const KNOWN = 17;
const folderOf = (id: string) => `${JOBS}/${id}`;
/** Between the two it is said how much is left out. */
const ROOM_BYTES = 100;
/** Of what a job prints, its beginning and its end. */
const KEPT_BYTES_MAX = LIMITS.output_chars_max / 2 - ROOM_BYTES;

export interface Look {
  readonly state: "running" | "exited" | "timed_out" | "lost" | "missing";
  readonly code: number;
  readonly output: string;
  /** In bytes. */
  readonly next: number;
}

/** Begins it. One whose folder is there was begun before. Throws when the container is silent. */
export async function beginJob(
  machine: Machine,
  order: Omit<JobOrder, "files">,
  hosts: readonly string[],
): Promise<void> {
  const folder = folderOf(order.id);
  // A job of the same id that is begun at the same time finds the folder, and goes away.
  const lay = `mkdir -p "$1" || exit 1; [ ! -e "$2" ] || exit ${KNOWN}; mkdir "$2" && cat >"$2/script"`;
  const script = order.script.replaceAll("\r\n", "\n");
  const { code } = await machine.exec(["sh", "-c", lay, "sh", JOBS, folder], { stdin: script });
  if (code === KNOWN) return;
  if (code !== 0) throw new Error("the container has no room for the script");
  const seconds = String(order.wallMs / 1_000);
  const run = ["sh", "-c", RUN, "sh", folder, seconds, String(KEPT_BYTES_MAX)];
  await machine.detach(run, { ERRAND_HOSTS: hosts.join(" ") });
}

/** Whether it goes on. Throws when the container is silent. */
export async function isRunning(machine: Machine, id: string): Promise<boolean> {
  const { text } = await machine.exec(["sh", "-c", STATUS, "sh", folderOf(id), "0", "0"]);
  return text.startsWith("running ");
}

/** @param offset in bytes of what it has printed. Throws when the container is silent. */
export async function lookAtJob(machine: Machine, id: string, offset: number): Promise<Look> {
  const folder = folderOf(id);
  const asked = ["sh", "-c", STATUS, "sh", folder, String(offset), String(KEPT_BYTES_MAX)];
  const { bytes } = await machine.exec(asked);
  const lineEnd = bytes.indexOf("\n".charCodeAt(0));
  const [state = "", code = "", , more = ""] = new TextDecoder()
    .decode(bytes.subarray(0, lineEnd))
    .split(" ");
  const isOver = state !== "running";
  const printed = bytes.subarray(lineEnd + 1);
  const whole = isOver ? printed : cutToCharacters(printed);
  const output = new TextDecoder().decode(whole);
  const next = offset + whole.length;
  const beyond = isOver ? Number(more) : 0;
  const end = beyond === 0 ? "" : await readEnd(machine, folder, beyond);
  return { state: isState(state) ? state : "lost", code: Number(code), output: output + end, next };
}

/** Ends it, and whatever else runs there. Throws when the container is silent. */
export async function endJob(machine: Machine, id: string): Promise<void> {
  await machine.exec(["sh", "-c", END, "sh", folderOf(id)]);
}

async function readEnd(machine: Machine, folder: string, beyond: number): Promise<string> {
  const { bytes } = await machine.exec(["cat", `${folder}/end`], { bytesMax: KEPT_BYTES_MAX });
  const leftOut = beyond - bytes.length;
  return `${leftOut > 0 ? `\n… (${leftOut} bytes are left out) …\n` : ""}${new TextDecoder().decode(bytes)}`;
}

const STATES: ReadonlySet<string> = new Set<Look["state"]>([
  "running",
  "exited",
  "timed_out",
  "lost",
  "missing",
]);
const isState = (word: string): word is Look["state"] => STATES.has(word);

/** Without a character of UTF-8 whose rest is still to come. */
function cutToCharacters(bytes: Uint8Array): Uint8Array {
  for (let back = 1; back <= Math.min(4, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? bytes.subarray(0, bytes.length - back) : bytes;
  }
  return bytes;
}
