/**
 * The module that runs a shell inside of an isolate: bash as just-bash speaks it, over a workspace in memory. It has no network, no
 * environment and no other program; whatever gets out of the shell is in an isolate that has nothing either.
 */
import { Bash, InMemoryFs } from "just-bash";
import { decodeCodeRequest, encodeCodeForm } from "../../../shared/code-form.ts";
import type { CodeRequest, CodeResult } from "../../../shared/contracts/code.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { cutMiddle } from "../../../shared/text.ts";
import { boundedDiff } from "./bounded-diff.ts";
import { compare, type Contents, whyTooMuch } from "./workspace.ts";

const MIB = 1024 * 1024;
const HOME = "/workspace";

/** just-bash's own are for a machine: an isolate has 128 MB, and a loop without an end is to end within a second. */
const BOUNDS = {
  maxCommandCount: 20_000,
  // What is redirected into files counts too.
  maxOutputSize: LIMITS.sandbox_bytes_max,
  maxStringLength: LIMITS.sandbox_bytes_max,
  // Beyond it an expansion is cut in silence.
  maxBraceExpansionResults: 100_000,
  maxLiveBytes: 64 * MIB,
  maxInputBytes: 64 * MIB,
  maxFileSystemBytes: 2 * LIMITS.sandbox_bytes_max,
  maxArchiveBytes: 32 * MIB,
  maxArchiveEntryBytes: 32 * MIB,
  maxTraversalEntries: 20_000,
};

/** How just-bash says that the time is over, which `timeout` may say as well of a command. */
const TIMED_OUT = 124;
const OWN_DEADLINE = /exceeded (its )?execution deadline/;
/** For whoever has made the shell, and not for whoever uses it. */
const ADVICE = /, increase executionLimits\.\w+/g;
const NOT_IN_HERE = /command not available in browser environments\..*/g;

export default {
  async fetch(request: Request): Promise<Response> {
    return new Response(encodeCodeForm(await runScript(await decodeCodeRequest(request))));
  },
};

/** Runs the script that was asked for. */
export async function runScript({ code, files, wallMs }: CodeRequest): Promise<CodeResult> {
  const laid = new Map(files.map(({ path, content }) => [path, content]));
  const { output, exitCode, refused, changes } = await runBash(code, laid, wallMs);
  return {
    kind: "done",
    printed: cutMiddle(output, LIMITS.output_chars_max),
    value: { shown: String(exitCode), json: String(exitCode) },
    error: refused,
    files: [],
    changes,
  };
}

/** Why nothing of what a script has left is taken. */
const LATE = "timed out";
/** just-bash's own `read` and `mapfile` take UTF-8 for Latin-1 (3.4.2), and nobody would see what came of it. */
const BREAKS_LETTERS =
  "letters beyond ASCII were broken by `read` or `mapfile`, which cannot read them here: use awk, sed, or a loop over `$(…)`";
const READS = /\b(read|mapfile|readarray)\b/;
const BROKEN = /[\u00C2-\u00F4][\u0080-\u00BF]/;

/** Runs a script over these files. @returns what it has printed, what it has changed, and why that is refused, if it is. */
export async function runBash(script: string, laid: Contents, wallMs: number) {
  const fs = new InMemoryFs({}, { maxTotalBytes: BOUNDS.maxFileSystemBytes });
  for (const folder of [HOME, "/tmp"]) await fs.mkdir(folder, { recursive: true });
  for (const [path, content] of laid) {
    const at = `${HOME}/${path}`;
    await fs.mkdir(at.slice(0, at.lastIndexOf("/")), { recursive: true });
    await fs.writeFile(at, content);
  }
  const bash = new Bash({
    fs,
    cwd: HOME,
    env: { HOME, LANG: "C.UTF-8", TMPDIR: "/tmp" },
    executionLimits: { ...BOUNDS, maxExecutionTimeMs: wallMs },
    customCommands: [boundedDiff],
    // Its hooks are not there in workerd, and refuse to start.
    defenseInDepth: false,
  });
  // What it prints and what it complains of, in their order; in its first line, so that lines keep their numbers.
  const text = script.replaceAll("\r\n", "\n");
  const { stdout, stderr, exitCode } = await bash.exec(`exec 2>&1; ${text}`, { rawScript: true });
  const said = `${stdout}${stderr}`;
  const { left, links } = await readAll(fs);
  const unkept = links.map((path) => `(${path} is a link, and is not kept)\n`).join("");
  const output = `${said.replaceAll(ADVICE, "").replaceAll(NOT_IN_HERE, "command not found")}${unkept}`;
  const changes = compare(laid, left);
  const refused = whyRefused(text, { said, exitCode, changes });
  return { output, exitCode, refused, changes: refused === null ? changes : [] };
}

interface Ended {
  readonly said: string;
  readonly exitCode: number;
  readonly changes: ReturnType<typeof compare>;
}

function whyRefused(script: string, { said, exitCode, changes }: Ended): string | null {
  if (exitCode === TIMED_OUT && OWN_DEADLINE.test(said)) return LATE;
  const isBroken = ({ path, content }: Ended["changes"][number]) =>
    BROKEN.test(path) || (content !== null && BROKEN.test(new TextDecoder().decode(content)));
  if (READS.test(script) && (BROKEN.test(said) || changes.some(isBroken))) return BREAKS_LETTERS;
  return whyTooMuch(changes);
}

/** What lies in the workspace. A link is none of it: it would lead to what somebody else lays there later. */
async function readAll(fs: InMemoryFs) {
  const left = new Map<string, Uint8Array<ArrayBuffer>>();
  const links: string[] = [];
  for (const at of fs.getAllPaths()) {
    if (!at.startsWith(`${HOME}/`)) continue;
    const path = at.slice(HOME.length + 1);
    const { isFile, isSymbolicLink } = await fs.lstat(at);
    if (isSymbolicLink) links.push(path);
    else if (isFile) left.set(path, (await fs.readFileBuffer(at)).slice());
  }
  return { left, links };
}
