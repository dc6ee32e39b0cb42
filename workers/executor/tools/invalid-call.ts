/** A call that cannot be made: the model hears why, and may do better. */
import { type Run, saying } from "./tool.ts";

export const invalidCall: Run<"invalid_call"> = (_context, { name, reason }) =>
  Promise.resolve(saying(false, `The call of "${name}" was not made: ${reason}`));
