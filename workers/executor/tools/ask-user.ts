/** `ask_user`: the answer is what the call was told before it is made, so whoever comes here was told nothing. */
import { failing, type Run } from "./tool.ts";

export const askUser: Run<"ask_user"> = () => Promise.resolve(failing("Nobody was asked."));
