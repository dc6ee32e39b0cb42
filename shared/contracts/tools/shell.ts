/** `shell`: a script of bash over the conversation's workspace. */
import * as z from "zod/mini";
import { LIMITS, TIMINGS } from "../../limits.ts";
import { stripFence } from "../../text.ts";
import { describeTool } from "../tool.ts";

const TIMEOUT_S_MAX = TIMINGS.shell_wall_ms_max / 1_000;

export const shell = describeTool({
  name: "shell",
  title: "Run a shell script",
  description:
    "Runs a script of bash whose working directory is this conversation's workspace; what it changes there stays, also for the other tools. " +
    "You get what it printed, stderr included, and its exit code where that is not 0. It is an embedded shell: it has awk, sed, grep, rg, jq, sort, " +
    "uniq, cut, paste, join, comm, find, xargs, tr, wc, head, tail, diff, base64, sha256sum, gzip, date, printf, bash's arrays, functions, loops and here-documents; " +
    "it has no network, no git, no python, no node, no tar or zip, no bc, no trap, no packages to install, and its `read` and `mapfile` take ASCII only: compute with JavaScript instead. " +
    `It may take ${TIMINGS.shell_wall_ms / 1_000} seconds, with \`timeout_s\` up to ${TIMEOUT_S_MAX}.`,
  input: z.strictObject({
    script: z.string().check(z.minLength(1), z.maxLength(LIMITS.code_chars_max)),
    timeout_s: z.optional(z.number().check(z.gt(0), z.lte(TIMEOUT_S_MAX))),
    /** Where it runs. */
    backend: z.optional(z.enum(["embedded"])),
  }),
  effect: "none",
  usesWorkspace: () => true,
  touches: ({ script }) => ({ scripts: [script] }),
  summarizeCall: ({ script }) => script,
  command: {
    name: "sh",
    args: "<script>",
    about: "run a shell script over the files of this conversation",
    usage: "Send the script behind the command, such as `/sh sort inbox/names.txt | uniq -c`.",
    inputOf: (args) => ({ script: stripFence(args) }),
  },
});
