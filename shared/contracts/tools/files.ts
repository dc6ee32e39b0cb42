/** `files`: the conversation's workspace, read and changed. */
import * as z from "zod/mini";
import { LIMITS } from "../../limits.ts";
import { describeTool } from "../tool.ts";

const Path = z.string().check(z.minLength(1), z.maxLength(LIMITS.path_chars_max));
const Text = z.string().check(z.maxLength(LIMITS.file_bytes_max));
const OPS = ["list", "read", "write", "edit", "move", "delete"] as const;

/** What each needs beside its path; `list` needs none. */
const NEEDS = {
  list: [],
  read: [],
  write: ["text"],
  edit: ["find", "replace"],
  move: ["to"],
  delete: [],
} as const;

export const files = describeTool({
  name: "files",
  title: "Use the workspace",
  description:
    "The files of this conversation, which stay from one task to the next. What people sent lies in inbox/. Paths are relative, such as reports/june.csv. " +
    "`list` (of a folder, with `path`), `read` (text by lines, with `from_line` and `lines`; you see a picture as a picture), `write` (`text` is the whole file), " +
    "`edit` (replaces `find`, which must stand there once, or each time with `all`), `move` (`to`), `delete` (a file, or a folder with all that is in it).",
  input: z
    .strictObject({
      op: z.enum(OPS),
      path: z.optional(Path),
      text: z.optional(Text),
      find: z.optional(z.string().check(z.minLength(1), z.maxLength(LIMITS.prompt_chars_max))),
      replace: z.optional(Text),
      all: z.optional(z.boolean()),
      to: z.optional(Path),
      from_line: z.optional(z.int().check(z.gte(1))),
      lines: z.optional(z.int().check(z.gte(1))),
    })
    .check(
      z.refine((input) => input.op === "list" || input.path !== undefined, "It needs `path`"),
      z.refine(
        (input) => NEEDS[input.op].every((name) => input[name] !== undefined),
        "`write` needs `text`, `edit` needs `find` and `replace`, `move` needs `to`",
      ),
    ),
  effect: "none",
  usesWorkspace: () => true,
  touches: ({ path, to }) => ({ paths: [path, to].flatMap((one) => one ?? []) }),
  summarizeCall: ({ op, path, to }) => [op, path, to].filter((word) => word !== undefined).join(" "),
  command: {
    name: "files",
    args: "[folder]",
    about: "the files of this conversation",
    usage: "Send /files, or /files with a folder, such as `/files inbox`.",
    inputOf: (args) => ({ op: "list" as const, ...(args !== "" && { path: args }) }),
  },
});
