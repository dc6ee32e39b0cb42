/** What a message says, to whom: captions, mentions and commands. */
import { parseCommand } from "../../../../shared/commands.ts";
import type { Command } from "../../../../shared/contracts/command.ts";
import type { TelegramMessage } from "./update.ts";

/** Who the bot is, as far as it is known. */
export interface Bot {
  id?: string;
  /** Without the @. Telegram compares usernames without regard to case. */
  username?: string;
}

interface Said {
  /** Without the bot's own name; a command as it would be typed. */
  text: string;
  command: Command | null;
  /** Whether it speaks to this bot; null when it does not say. */
  toBot: boolean | null;
}

export function parseText(message: TelegramMessage, bot: Bot): Said {
  const text = message.text ?? message.caption ?? "";
  // Somebody else's words, to somebody else: whoever forwards a command does not give it.
  if (message.forward_origin !== undefined) return { text, command: null, toBot: null };
  const entities = message.entities ?? message.caption_entities ?? [];
  // From the last to the first: what is cut out moves nothing that is still to be cut.
  const mentions = entities
    .filter(({ type, offset, length, user }) =>
      type === "text_mention"
        ? bot.id !== undefined && String(user?.id) === bot.id
        : type === "mention" && isName(text.slice(offset + 1, offset + length), bot),
    )
    .toSorted((a, b) => b.offset - a.offset);
  const spoken = mentions.reduce(
    (rest, { offset, length }) => rest.slice(0, offset) + rest.slice(offset + length),
    text,
  );
  const parsed = parseCommand(spoken);
  if (parsed !== null) {
    const { name, args, addressee } = parsed;
    const toBot = addressee === null ? null : isName(addressee, bot);
    const typed = `/${name}${args === "" ? "" : ` ${args}`}`;
    return { text: typed, command: { name, args }, toBot: mentions.length > 0 || toBot };
  }
  // Nothing was cut out: as it was typed.
  const said = mentions.length > 0 || text.trim() === "" ? spoken.trim() : text;
  return { text: said, command: null, toBot: mentions.length > 0 || null };
}

function isName(name: string, { username }: Bot): boolean {
  return username !== undefined && name.toLowerCase() === username.toLowerCase();
}
