/** What a tool is, described once: for the model that calls it, the API, the chat, and whoever carries it out. */
import * as z from "zod/mini";
import type { Command } from "./command.ts";
import type { Touched } from "../policy/policy.ts";
import { StoredFile } from "./file.ts";
import { ConversationName } from "./task.ts";

/** What a person is asked. Without choices they answer in words. */
export interface Question {
  readonly question: string;
  readonly choices: readonly string[];
}

interface Definition<Name extends string, Input extends z.ZodMiniType> {
  readonly name: Name;
  /** For people. */
  readonly title: string;
  /** For the model: what it is for, and how to use it well. */
  readonly description: string;
  /** The same where the installation has containers. */
  readonly describedWithContainers?: string;
  /** Strict: a misspelt field would otherwise be ignored in silence. */
  readonly input: Input;
  /** Whether it changes anything, or learns anything, outside of its sandbox. */
  readonly effect: "none" | "reads" | "acts";
  /** What a call of it would touch, as far as its input tells: the policy has rules on that. */
  readonly touches?: (input: z.output<Input>) => Touched;
  /** Whether a call reads or changes the files of the conversation: such calls of a turn run one after the other, in their order. */
  readonly usesWorkspace?: (input: z.output<Input>) => boolean;
  /** It is a question to a person, whose answer is all that it does. */
  readonly asks?: (input: z.output<Input>) => Question;
  /** One call in a few words, for step names and the log. */
  readonly summarizeCall: (input: z.output<Input>) => string;
  /** A command that calls it without a model. */
  readonly command?: {
    readonly name: string;
    /** As `/help` shows them: `<code>`. */
    readonly args: string;
    readonly about: string;
    /** What is said when they are not as the input wants them. */
    readonly usage: string;
    readonly inputOf: (args: string) => z.input<Input>;
  };
}

/** A tool whose types nobody has to know. */
export type AnyTool = Omit<
  Definition<string, z.ZodMiniType>,
  "touches" | "asks" | "usesWorkspace" | "command"
> & {
  readonly asks: (input: unknown) => Question | null;
  readonly touches: (input: unknown) => Touched;
  readonly usesWorkspace: (input: unknown) => boolean;
  readonly summarizeCall: (input: unknown) => string;
  readonly command?: Omit<NonNullable<Definition<string, z.ZodMiniType>["command"]>, "inputOf"> & {
    readonly inputOf: (args: Command["args"]) => unknown;
  };
};

/** @returns the definition, with the schemas of a call and of the task that is one. */
export function describeTool<const Name extends string, Input extends z.ZodMiniType>(
  definition: Definition<Name, Input>,
) {
  const { name, input, touches, asks, usesWorkspace } = definition;
  return {
    ...definition,
    touches: (given: unknown): Touched => touches?.(z.parse(input, given)) ?? {},
    asks: (given: unknown): Question | null => asks?.(z.parse(input, given)) ?? null,
    usesWorkspace: (given: unknown): boolean => usesWorkspace?.(z.parse(input, given)) ?? false,
    summarizeCall: (given: unknown) => definition.summarizeCall(z.parse(input, given)),
    call: z.strictObject({ tool: z.literal(name), input }),
    /** The body of `POST /v1/tasks`. */
    task: z.strictObject({ tool: z.literal(name), input, conversation: ConversationName }),
  };
}

/** What a call brought back, as models read it. A tool's failure is an observation too, never the end of what a model does. */
export const Observation = z.object({
  ok: z.boolean(),
  /** What it said, what it came to or why it failed, and which files it made. */
  text: z.string(),
  /** Why it failed. */
  error: z.nullable(z.string()),
  /** What a model is to see of it. */
  images: z.array(StoredFile),
});
export type Observation = z.infer<typeof Observation>;

export const observationExample: Observation = { ok: true, text: "42", error: null, images: [] };

/** A call's outcome, whole: as models read it, and in its parts for programs. */
export interface Outcome extends Observation {
  /** What it printed or said. */
  readonly output: string;
  /** The typed result, as JSON; null where there is none, or where it is too long: then it is in a file. */
  readonly value: string | null;
  readonly files: readonly StoredFile[];
}
