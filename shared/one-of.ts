/** Unions over a table: what each of its rows is, told apart by a tag. */
import * as z from "zod/mini";

/** `z.discriminatedUnion` for a list whose length the compiler does not know. Throws when it is empty. */
export function oneOf<Option extends z.core.$ZodTypeDiscriminable, Tag extends string>(
  tag: Tag,
  options: readonly Option[],
) {
  const [first, ...rest] = options;
  if (first === undefined) throw new Error(`There is nothing to tell apart by "${tag}".`);
  return z.discriminatedUnion(tag, [first, ...rest]);
}
