/** A call that cannot be made: the model hears why, and may do better. */
import { failing, type Run } from "./tool.ts";

export const invalidCall: Run<"invalid_call"> = (_context, { name, reason }) =>
  Promise.resolve(failing(`The call of "${name}" was not made: ${reason}`));
