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
  approve: { args: "[id]", about: "approve what I asked for" },
  deny: { args: "[id] [why]", about: "deny it" },
  policy: { args: "[tool]", about: "what I may do by myself, and what I ask for" },
  usage: { args: "", about: "what I have spent for you today, and what is left" },
  new: { args: "", about: "forget what was said so far" },
  admit: { args: "", about: "let a group talk to me (for admins, in the group)" },
  promote: { args: "[id]", about: "make somebody an admin of mine (for admins, in reply to them)" },
  help: { args: "", about: "this list" },
} as const satisfies Record<string, Described>;
export type CommandName = keyof typeof CONTROL;

/** The commands of tools, and then these, with what they are for. */
export function listCommands(names: readonly CommandName[]): (Described & { readonly name: string })[] {
  return [
    ...TOOLS.flatMap(({ command }) => command ?? []),
    ...names.map((name) => ({ name, ...CONTROL[name] })),
  ];
}

/** `/name@bot args` → name and args. Null for what is no command: a name begins with a letter, and holds no more slashes. */
export function parseCommand(text: string): (Command & { addressee: string | null }) | null {
  const [, name, addressee = null, args = ""] =
    /^\/([a-z_]\w*)(?:@(\w+))?(?:\s+([\s\S]*))?$/i.exec(text.trim()) ?? [];
  return name === undefined ? null : { name: name.toLowerCase(), args: args.trim(), addressee };
}
