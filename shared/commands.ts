/** What can be commanded in a chat, and how a command is read. */
import type { Command } from "./contracts/command.ts";
import { TOOLS } from "./contracts/tools/index.ts";

interface Described {
  /** As `/help` shows them. */
  readonly args: string;
  readonly about: string;
}

/** Answered by triage; tools have commands of their own. */
const CONTROL = {
  status: { args: "[id]", about: "how a task is doing" },
  tasks: { args: "", about: "your latest tasks" },
  stop: { args: "[id]", about: "stop the running task" },
  new: { args: "", about: "forget what was said so far" },
  admit: { args: "", about: "let a group talk to me (for admins, in the group)" },
  help: { args: "", about: "this list" },
} as const satisfies Record<string, Described>;
export type CommandName = keyof typeof CONTROL;

/** Every command with what it is for: those of tools first. */
export const COMMANDS: readonly (Described & { readonly name: string })[] = [
  ...TOOLS.flatMap(({ command }) => command ?? []),
  ...Object.entries(CONTROL).map(([name, described]) => ({ name, ...described })),
];

/** `/name@bot args` → name and args. Null for what is no command. */
export function parseCommand(text: string): (Command & { addressee: string | null }) | null {
  const [, name, addressee = null, args = ""] =
    /^\/(\w+)(?:@(\w+))?(?:\s+([\s\S]*))?$/.exec(text.trim()) ?? [];
  return name === undefined ? null : { name: name.toLowerCase(), args: args.trim(), addressee };
}
