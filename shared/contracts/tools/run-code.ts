/** `run_code`: JavaScript or TypeScript in a sandbox. */
import * as z from "zod/mini";
import { LIMITS } from "../../limits.ts";
import { stripFence } from "../../text.ts";
import { describeTool } from "../tool.ts";

/** Whether it may call `bash`, as far as its text tells. */
export const runsScripts = (code: string) => /\bbash\b/.test(code);

export const runCode = describeTool({
  name: "run_code",
  title: "Run code",
  description:
    "Runs JavaScript or TypeScript in a fresh sandbox, without network, for at most a few seconds. " +
    "The code is an expression, or statements that `return` a value; what it prints and returns comes back. " +
    "`save(name, content)`, with a string, bytes or a Blob, attaches a file to your answer, such as `save('chart.svg', svg)`. " +
    "The files of this conversation are in `workspace`: `list(folder?)`, `read(path)` (a string), `readBytes(path)`, `write(path, content)`, `delete(path)`; " +
    "`await bash(script)` runs a script over them and returns `{ output, exitCode }`.",
  input: z.strictObject({ code: z.string().check(z.minLength(1), z.maxLength(LIMITS.code_chars_max)) }),
  effect: "none",
  // Laying out files takes time: code that does not name them has none.
  usesWorkspace: ({ code }) => code.includes("workspace") || runsScripts(code),
  summarizeCall: ({ code }) => code,
  command: {
    name: "run",
    args: "<code>",
    about: "run JavaScript or TypeScript in a sandbox and answer with the result",
    usage: "Send the code behind the command, such as `/run 6 * 7`.",
    inputOf: (args) => ({ code: stripFence(args) }),
  },
});
