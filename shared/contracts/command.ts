/** A command as it was said: parsed where it came in, and nowhere else. */
import * as z from "zod/mini";

export const Command = z.object({
  /** Without the slash, in lower case. */
  name: z.string().check(z.minLength(1)),
  /** What stood behind it, trimmed. */
  args: z.string(),
});
export type Command = z.infer<typeof Command>;

export const commandExample: Command = { name: "run", args: "6 * 7" };
