/** `send_file`: a file of the workspace, with the answer. */
import * as z from "zod/mini";
import { LIMITS } from "../../limits.ts";
import { describeTool } from "../tool.ts";

export const sendFile = describeTool({
  name: "send_file",
  title: "Attach a file",
  description: "Attaches a file of this conversation's workspace to your answer, such as reports/june.csv.",
  input: z.strictObject({ path: z.string().check(z.minLength(1), z.maxLength(LIMITS.path_chars_max)) }),
  effect: "none",
  usesWorkspace: () => true,
  touches: ({ path }) => ({ paths: [path] }),
  summarizeCall: ({ path }) => path,
  command: {
    name: "get",
    args: "<path>",
    about: "send a file of this conversation",
    usage: "Send the path behind the command, such as `/get inbox/report.csv`; /files lists them.",
    inputOf: (args) => ({ path: args }),
  },
});
