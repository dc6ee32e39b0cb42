/** `ask_user`: one question to the person whom a task is for. */
import * as z from "zod/mini";
import { LIMITS } from "../../limits.ts";
import { describeTool } from "../tool.ts";

const Choice = z.string().check(z.minLength(1), z.maxLength(LIMITS.choice_chars_max));

export const askUser = describeTool({
  name: "ask_user",
  title: "Ask a question",
  description:
    "Asks the person who gave you the task one question, and waits for the answer, for days if need be. Use it when you cannot go on " +
    "without knowing, not to be polite. Give `choices` where there are a few; the person may also answer in words of their own.",
  input: z.strictObject({
    question: z.string().check(z.minLength(1), z.maxLength(LIMITS.question_chars_max)),
    choices: z.optional(z.array(Choice).check(z.minLength(1), z.maxLength(LIMITS.choices_max))),
  }),
  effect: "none",
  asks: ({ question, choices = [] }) => ({ question, choices }),
  summarizeCall: ({ question }) => question,
});
