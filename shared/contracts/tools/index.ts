/** The tools: one line for each. */
import type * as z from "zod/mini";
import { oneOf } from "../../one-of.ts";
import { toOneLine } from "../../text.ts";
import type { Command } from "../command.ts";
import type { AnyTool } from "../tool.ts";
import { askUser } from "./ask-user.ts";
import { files } from "./files.ts";
import { invalidCall } from "./invalid-call.ts";
import { runCode } from "./run-code.ts";
import { sendFile } from "./send-file.ts";
import { shell } from "./shell.ts";

const ALL = [runCode, shell, files, sendFile, askUser] as const;

/** The tools that a model is offered, and that the API takes by name. */
export const TOOLS: readonly AnyTool[] = ALL;

/** A tool and its input, as a turn wants it. */
export const ToolCall = oneOf("tool", [invalidCall.call, ...ALL.map(({ call }) => call)]);
export type ToolCall = z.infer<typeof ToolCall>;
export type ToolName = ToolCall["tool"];
type Inputs = { [Call in ToolCall as Call["tool"]]: Call["input"] };
/** The input of a call of this tool. */
export type InputOf<Name extends ToolName> = Inputs[Name];
/** A call of this tool. */
export type CallOf<Name extends ToolName> = { [One in Name]: { tool: One; input: Inputs[One] } }[Name];

export const toolCallExample: ToolCall = {
  tool: "invalid_call",
  input: { name: "fly", input: {}, reason: "there is no such tool" },
};

/** `POST /v1/tasks` with a tool called by name. */
export const ToolTask = oneOf(
  "tool",
  ALL.map(({ task }) => task),
);

const SUMMARY_CHARS_MAX = 60;

/** The tool of that name, `invalid_call` included. */
export function findTool(tool: string): AnyTool | undefined {
  return [invalidCall, ...TOOLS].find(({ name }) => name === tool);
}

/** A call in a few words, for step names and the log. */
export function summarizeCall({ tool, input }: ToolCall): string {
  return toOneLine(findTool(tool)?.summarizeCall(input) ?? "", SUMMARY_CHARS_MAX);
}

/** Whether it uses the workspace, and so is made in its place among those that do. */
export function usesWorkspace({ tool, input }: ToolCall): boolean {
  return findTool(tool)?.usesWorkspace(input) ?? false;
}

/** What a model asked for and nobody can make, with the reason. */
export function refuseCall(name: string, input: unknown, reason: string): ToolCall {
  return { tool: invalidCall.name, input: { name, input, reason } };
}

/** What a model asked for, as it asked. */
export function readAskedCall(call: ToolCall): { name: string; input: unknown } {
  return call.tool === invalidCall.name
    ? { name: call.input.name, input: call.input.input }
    : { name: call.tool, input: call.input };
}

/** The tool that a command calls. */
export function findCommandTool(name: string): AnyTool | undefined {
  return TOOLS.find(({ command }) => command?.name === name);
}

/** The call that a command is; null when no tool takes it, or not so. */
export function resolveCommand({ name, args }: Command): ToolCall | null {
  const tool = findCommandTool(name);
  if (tool?.command === undefined) return null;
  return ToolCall.safeParse({ tool: tool.name, input: tool.command.inputOf(args) }).data ?? null;
}
