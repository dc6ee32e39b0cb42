/** A call that cannot be made: the model hears why, and may do better. */
import type { Tool } from "./index.ts";

export const invalidCall: Tool<"invalid_call"> = (_env, { name, reason }) =>
  Promise.resolve({ ok: false, text: `The call of "${name}" was not made: ${reason}`, files: [] });
