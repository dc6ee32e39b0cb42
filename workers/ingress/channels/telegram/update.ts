/** Updates of the Bot API, as far as anybody here reads them. https://core.telegram.org/bots/api#update */
import * as z from "zod/mini";
import { LIMITS } from "../../../../shared/limits.ts";

const Text = z.string().check(z.maxLength(LIMITS.prompt_chars_max));

const User = z.object({
  id: z.int(),
  /** Telegram's own samples leave it out. */
  is_bot: z.optional(z.boolean()),
  username: z.optional(z.string()),
  first_name: z.optional(z.string()),
});

const Chat = z.object({ id: z.int(), type: z.string() });

/** Offsets and lengths are UTF-16 units, as JavaScript's indices are. */
const Entity = z.object({
  type: z.string(),
  offset: z.int(),
  length: z.int(),
  user: z.optional(User),
});

/** Whose message it was: a person's, who may hide, a group's or a channel's. Whatever is in it, the message is forwarded. */
const ForwardOrigin = z.catch(
  z.object({
    sender_user: z.optional(z.object({ first_name: z.string() })),
    sender_user_name: z.optional(z.string()),
    sender_chat: z.optional(z.object({ title: z.string() })),
    chat: z.optional(z.object({ title: z.string() })),
  }),
  {},
);
export type ForwardOrigin = z.infer<typeof ForwardOrigin>;

const FILES = {
  /** The sizes of one picture, the smallest first. Whatever is wrong with a file does not take the words with it. */
  photo: z.catch(z.optional(z.array(z.object({ file_id: z.string() }))), undefined),
  document: z.catch(
    z.optional(
      z.object({
        file_id: z.string(),
        file_name: z.optional(z.string()),
        mime_type: z.optional(z.string()),
      }),
    ),
    undefined,
  ),
};

/** Loose, for what it holds beside words is known by the names of its fields. */
const Message = z.looseObject({
  message_id: z.int(),
  chat: Chat,
  from: z.optional(User),
  /** The group or channel in whose name it was sent: an administrator who stays anonymous. */
  sender_chat: z.optional(Chat),
  message_thread_id: z.optional(z.int()),
  /** Without it the thread's id is that of an ordinary reply, and nothing can be sent to it. */
  is_topic_message: z.optional(z.boolean()),
  /** The album that it is a part of. */
  media_group_id: z.optional(z.string()),
  /** The group has become a supergroup, which has another id. */
  migrate_to_chat_id: z.optional(z.int()),
  text: z.optional(Text),
  caption: z.optional(Text),
  entities: z.optional(z.array(Entity)),
  caption_entities: z.optional(z.array(Entity)),
  ...FILES,
  forward_origin: z.optional(ForwardOrigin),
  reply_to_message: z.optional(
    z.object({
      message_id: z.int(),
      from: z.optional(User),
      text: z.optional(z.string()),
      caption: z.optional(z.string()),
      ...FILES,
      /** The root of a topic, to which everything in it "replies". */
      forum_topic_created: z.optional(z.unknown()),
    }),
  ),
});
export type TelegramMessage = z.infer<typeof Message>;

const Query = z.object({
  id: z.string(),
  from: User,
  /** Too old a message has a date of 0 and no content; it has its chat all the same. */
  message: z.optional(
    z.object({
      message_id: z.int(),
      chat: Chat,
      message_thread_id: z.optional(z.int()),
      is_topic_message: z.optional(z.boolean()),
    }),
  ),
  data: z.optional(z.string()),
});
export type TelegramQuery = z.infer<typeof Query>;

/** What most updates have in common. */
export const Anywhere = z.object({
  chat: z.optional(Chat),
  from: z.optional(User),
  user: z.optional(User),
});

export const Update = z.object({
  update_id: z.int(),
  message: z.optional(Message),
  edited_message: z.optional(Message),
  callback_query: z.optional(Query),
  my_chat_member: z.optional(
    z.object({ chat: Chat, from: User, new_chat_member: z.object({ status: z.string() }) }),
  ),
});
export type Update = z.infer<typeof Update>;
