/** `diff` within a bound: just-bash's own compares each line with each, and nothing stops it meanwhile. */
import { Bash, defineCommand } from "just-bash";

/** Of both files together: about a second. */
const LINES_MAX = 4_000;

export const boundedDiff = defineCommand("diff", async (args, { fs, cwd, stdin }) => {
  const given: unknown = stdin;
  const piped = typeof given === "string" ? given : "";
  let lines = 0;
  // Whatever could be a file is counted as one, also where it begins with a dash.
  for (const operand of args) {
    const text = operand === "-" ? piped : await fs.readFile(fs.resolvePath(cwd, operand)).catch(() => "");
    lines += text.split("\n").length;
  }
  if (lines > LINES_MAX) {
    const stderr = `diff: the files have ${lines} lines together; ${LINES_MAX} at most are compared here. comm takes more, of sorted files.\n`;
    return { stdout: "", stderr, exitCode: 2 };
  }
  const own = new Bash({ fs, cwd, commands: ["diff"], defenseInDepth: false });
  return own.exec("diff", { args: [...args], stdin: piped, stdinKind: "bytes" });
});
