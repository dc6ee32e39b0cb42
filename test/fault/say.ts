/** What stories are made of: what people say, until it is taken. */
import type { Control, EffectFault } from "../support/control.ts";
import { type Pipeline, privateText } from "../support/pipeline.ts";
import { until } from "../support/until.ts";

export interface Story {
  name: string;
  tell(pipeline: Pipeline, chat: number, control: Control): Promise<void>;
  /** What else happens at certain effects. */
  meanwhile?(pipeline: Pipeline, chat: number): EffectFault[];
  expects: readonly unknown[];
  /** What may be the end as well, when a fault comes just where something else happens. */
  orElse?: readonly unknown[];
}

const SENT_AGAIN_MAX = 20;

/** What a person says in a chat. Telegram sends it until it is taken, and so does this. */
export async function say(pipeline: Pipeline, chat: number, text: string): Promise<void> {
  const update = privateText(chat, text);
  await accepted(`"${text}"`, async () => (await pipeline.hook(update)).status === 200);
}

/** A button that they press, as often as it takes. */
export async function pressUntilTaken(pipeline: Pipeline, chat: number, data: string): Promise<void> {
  const { update_id, message } = privateText(chat, "");
  const id = `query${update_id}`;
  pipeline.telegram.pressed.add(id);
  const query = { id, from: message.from, message: { ...message, message_id: 1 }, data };
  const press = () => pipeline.hook({ update_id, callback_query: query });
  await accepted("the button", async () => (await press()).status === 200);
}

export async function accepted(what: string, send: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < SENT_AGAIN_MAX; i++) {
    if (await send().catch(() => false)) return;
  }
  throw new Error(`${what} was not taken within ${SENT_AGAIN_MAX} tries`);
}

/** Waits until a task of theirs has succeeded. */
export async function untilAnswered(pipeline: Pipeline, chat: number): Promise<void> {
  const succeeded = () =>
    pipeline.sql("SELECT 1 FROM tasks WHERE state = 'succeeded' AND sender = ?", `telegram:${chat}`);
  await until(async () => (await succeeded()).length > 0, 60_000, "a task to succeed");
}
