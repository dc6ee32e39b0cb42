/** What a chat channel is, described once: everybody who needs to know of a channel loops over these descriptions. */
import * as z from "zod/mini";
import type { CommandName } from "../commands.ts";
import type { NameFor, Variable } from "../variables.ts";

/** What the platform can do. A client of the channel must have the methods that belong to each (`workers/notifier/channels/client.ts`). */
export interface Abilities {
  /** A message can be changed and removed: what is said meanwhile is shown in the message that becomes the answer. */
  readonly edit: boolean;
  /** What is said meanwhile can be shown without a message: it is replaced at will, and gone with the answer. */
  readonly drafts: boolean;
  /** "… is typing", or another sign of life. */
  readonly typing: boolean;
  readonly buttons: boolean;
  /** People can send files to us. */
  readonly filesIn: boolean;
  /** Files can be attached to an answer. */
  readonly filesOut: boolean;
  /** Nobody reacts yet. */
  readonly reactions: boolean;
  /** UTF-16 units of the longest message. */
  readonly textUnitsMax: number;
}

/** An address as others see it: the platform's own ids, as texts. */
export interface Place {
  readonly chatId: string;
  /** A thread or topic of the chat. */
  readonly threadId?: string;
}

interface Definition<
  Name extends string,
  Address extends z.ZodMiniType,
  Variables extends readonly Variable[],
  Can,
> {
  /** In paths, logs and ids. */
  readonly name: Name;
  /** As people write it. */
  readonly title: string;
  /** Where an answer goes, tagged with the channel's name. It is part of the conversation and never changes. */
  readonly address: Address;
  readonly addressExample: z.output<Address>;
  readonly locate: (address: z.output<Address>) => Place;
  /** The other way round. */
  readonly addressAt: (place: Place) => z.output<Address>;
  /** What the id of a person looks like. */
  readonly personId: RegExp;
  readonly variables: Variables;
  /** Without these nothing is served. */
  readonly required: readonly NoInfer<Variables[number]["name"]>[];
  /** The variable that names, by their ids, people and chats who need not be admitted; `*` names everybody. */
  readonly allowList: NoInfer<NameFor<Variables[number], "planner">>;
  /** The variables by which the receiving half knows who the bot is, where there is one. */
  readonly bot?: {
    readonly id: NoInfer<NameFor<Variables[number], "ingress">>;
    readonly username: NoInfer<NameFor<Variables[number], "ingress">>;
  };
  /** What its secrets look like: redacted wherever they turn up. Global expressions. */
  readonly secretShapes: readonly RegExp[];
  readonly abilities: Can;
  /** Its menu; tools' commands stand before these. */
  readonly commands: readonly CommandName[];
}

/** A channel whose types nobody has to know. */
export type AnyChannel = Omit<
  Definition<string, z.ZodMiniType, readonly Variable[], Abilities>,
  "addressExample" | "placeOf"
> & {
  readonly addressAt: (place: Place) => unknown;
  /** Throws when it is no address of this channel's. */
  readonly locate: (address: unknown) => Place;
};

/** @returns the definition, whose functions take an address of any kind and refuse what is not theirs. */
export function defineChannel<
  const Name extends string,
  Address extends z.ZodMiniType<{ channel: Name }>,
  const Variables extends readonly Variable[],
  const Can extends Abilities,
>(definition: Definition<Name, Address, Variables, Can>) {
  return {
    ...definition,
    locate: (address: unknown) => definition.locate(z.parse(definition.address, address)),
  };
}

/** An id of the platform's. */
export const PlatformId = z.string().check(z.minLength(1), z.maxLength(200));
