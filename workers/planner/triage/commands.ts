/** Commands that triage answers by itself. Those of tools are not among them: they are work, and go to the planner. */
import { getChannel, type ChatChannelName } from "../../../shared/channels/index.ts";
import { listCommands } from "../../../shared/commands.ts";
import type { Command } from "../../../shared/contracts/command.ts";
import { findCommandTool } from "../../../shared/contracts/tools/index.ts";
import { type RecentTask, recentTasks } from "../../../shared/store/list-tasks.ts";
import type { Decision } from "../../../shared/store/decision.ts";
import { STOPPED, UNREAD_TEXT } from "../../../shared/strings.ts";
import { describePolicy } from "./policy.ts";
import { describeUsage } from "./usage.ts";
import type { Speaker, Where } from "./where.ts";
import { formatCode, toOneLine } from "../../../shared/text.ts";

/** What a channel offers, tools' commands first. */
function help(channel: ChatChannelName): string {
  return [
    "I run errands. What I understand:",
    ...listCommands(getChannel(channel).commands).map(
      ({ name, args, about }) => `/${name}${args === "" ? "" : ` ${args}`} – ${about}`,
    ),
    "Anything else goes to the model, if there is one; so do photos and documents.",
    "In code, save(name, content) attaches a file to the answer.",
  ].join("\n");
}

const TASKS_SHOWN = 10;
const ID_CHARS_SHOWN = 8;
const PROMPT_CHARS_SHOWN = 60;
/** A chat's task ids are hashes: four characters tell a person's tasks apart, and can be typed. */
const ID_CHARS_MIN = 4;

/** The decision for a command. Reads only for `/status`, `/tasks`, `/policy` and `/usage`. */
export async function answerCommand(
  db: D1Database,
  where: Where,
  { name, args }: Command,
  speaker: Speaker,
): Promise<Decision> {
  const reply = (text: string): Decision => ({ kind: "reply", ...where, text });
  const conversationId = where.inbound.conversation_id;
  switch (name) {
    case "start":
    case "help":
      return reply(help(where.channel));
    case "admit":
      return reply("There is nothing to admit: this chat may talk to me already.");
    case "policy":
      return reply(await describePolicy(db, where.inbound.tenant_id, args));
    case "usage":
      return reply(await describeUsage(db, where.inbound.tenant_id, speaker));
    case "new":
      return {
        kind: "forget",
        ...where,
        text: "What was said so far is forgotten. A running task goes on; /stop ends it.",
      };
    case "stop":
      return isTooShort(args) ? reply(TOO_SHORT) : { kind: "stop", ...where, ...makeStop(args) };
    case "status": {
      if (isTooShort(args)) return reply(TOO_SHORT);
      const [task] = await recentTasks(db, { conversationId, idPrefix: makePrefix(args), limit: 1 });
      if (task !== undefined) return reply(describe(task, Date.now()));
      return reply(args === "" ? "No tasks yet." : "There is no such task here.");
    }
    case "tasks": {
      const tasks = await recentTasks(db, { conversationId, idPrefix: "task_", limit: TASKS_SHOWN });
      return reply(
        tasks.length === 0 ? "No tasks yet." : tasks.map((task) => describe(task, Date.now())).join("\n"),
      );
    }
    default: {
      // A tool's, without what it needs.
      const usage = findCommandTool(name)?.command?.usage;
      return reply(
        usage ?? `I do not know /${toOneLine(name, PROMPT_CHARS_SHOWN)}. /help lists what I understand.`,
      );
    }
  }
}

const TOO_SHORT = `Give at least ${ID_CHARS_MIN} characters of the id; /tasks lists them.`;

function isTooShort(id: string): boolean {
  return id !== "" && makePrefix(id).length < "task_".length + ID_CHARS_MIN;
}

function makeStop(id: string) {
  const which = formatCode(toOneLine(id, ID_CHARS_SHOWN * 2));
  const idleText = id === "" ? "Nothing is running." : `No running task has an id that begins with ${which}.`;
  return { taskIdPrefix: makePrefix(id), text: STOPPED, unreadText: UNREAD_TEXT, idleText };
}

function makePrefix(id: string): string {
  return id.startsWith("task_") ? id : `task_${id}`;
}

function describe({ id, state, created_at, ended_at, turns, prompt }: RecentTask, now: number): string {
  const seconds = Math.round(((ended_at ?? now) - created_at) / 1_000);
  const shortId = id.slice("task_".length, "task_".length + ID_CHARS_SHOWN);
  const about = prompt === null ? "" : ` – ${formatCode(toOneLine(prompt, PROMPT_CHARS_SHOWN))}`;
  return `\`${shortId}\` ${state.replace("_", " ")}, ${turns} turn${turns === 1 ? "" : "s"}, ${seconds} s${about}`;
}
