/** `shell`: a script of bash over the conversation's workspace. */
import * as z from "zod/mini";
import { LIMITS, TIMINGS } from "../../limits.ts";
import { stripFence } from "../../text.ts";
import { describeTool } from "../tool.ts";

const seconds = (ms: number) => ms / 1_000;
const WHAT =
  "Runs a script of bash whose working directory is this conversation's workspace; what it changes there stays, also for the other tools. " +
  "You get what it printed, stderr included, and its exit code where that is not 0. ";
const EMBEDDED =
  "It is an embedded shell: it has awk, sed, grep, rg, jq, sort, " +
  "uniq, cut, paste, join, comm, find, xargs, tr, wc, head, tail, diff, base64, sha256sum, gzip, date, printf, bash's arrays, functions, loops and here-documents; " +
  "it has no network, no git, no python, no node, no tar or zip, no bc, no trap, no packages to install, and its `read` and `mapfile` take ASCII only: compute with JavaScript instead. " +
  `It may take ${seconds(TIMINGS.shell_wall_ms)} seconds, with \`timeout_s\` up to ${seconds(TIMINGS.shell_wall_ms_max)}.`;
const CONTAINER =
  "By default it runs in a container of this conversation: Linux, whose network leads to the hosts in $ERRAND_HOSTS alone, if any, with what credentials they need added on the way. What it lays elsewhere than in the workspace, such as in /root or /tmp, " +
  "is there for the next scripts, but may be gone after some minutes; put large trees that nobody needs to keep there, such as what is built. What it leaves running ends with it. " +
  `It may take ${seconds(TIMINGS.container_wall_ms)} seconds, with \`timeout_s\` up to ${seconds(TIMINGS.container_wall_ms_max)}. ` +
  "With `backend` as `embedded` it begins sooner and costs nothing, for a few lines over small files: ";

export const shell = describeTool({
  name: "shell",
  title: "Run a shell script",
  description: WHAT + EMBEDDED,
  describedWithContainers: WHAT + CONTAINER + EMBEDDED,
  input: z.strictObject({
    script: z.string().check(z.minLength(1), z.maxLength(LIMITS.code_chars_max)),
    timeout_s: z.optional(z.number().check(z.gt(0), z.lte(seconds(TIMINGS.container_wall_ms_max)))),
    /** Where it runs; empty: in a container, where there are any. */
    backend: z.optional(z.enum(["embedded", "container"])),
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
