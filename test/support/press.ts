/** Pressing buttons as Telegram brings it, and what whoever pressed is told. */
import type { Pipeline } from "./pipeline.ts";
import { until } from "./until.ts";

const ANSWERED_MS_MAX = 60_000;
let presses = 0;

/** @param from who presses; the chat's own person, if nobody else. @returns the toast. */
export async function press(
  { telegram, hook }: Pick<Pipeline, "telegram" | "hook">,
  chat: number,
  data: string,
  from = chat,
): Promise<string> {
  const id = `press${++presses}`;
  telegram.pressed.add(id);
  const person = { id: from, is_bot: false, first_name: "Ada" };
  const message = { message_id: 1, date: 1, chat: { id: chat, type: "private", first_name: "Ada" } };
  const query = { id, from: person, chat_instance: "1", data, message };
  await hook({ update_id: 900_000 + presses, callback_query: query });
  const isAnswer = ({ method, body }: (typeof telegram.calls)[number]) =>
    method === "answerCallbackQuery" && body["callback_query_id"] === id;
  const call = await until(
    () => telegram.calls.find(isAnswer) ?? false,
    ANSWERED_MS_MAX,
    "the button's answer",
  );
  return String(call.body["text"]);
}
