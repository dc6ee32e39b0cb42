/** Which part of a file is asked for. https://www.rfc-editor.org/rfc/rfc9110#name-range-requests */

export interface Range {
  offset: number;
  length: number;
}

/** Null: the whole, also for what is malformed or for several parts. "outside": nothing of it is there. */
export function rangeOf(header: string | undefined, bytes: number): Range | "outside" | null {
  const [all, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (all === undefined || (first === "" && last === "")) return null;
  const offset = first === "" ? Math.max(bytes - Number(last), 0) : Number(first);
  const end = first === "" || last === "" ? bytes - 1 : Math.min(Number(last), bytes - 1);
  if (first !== "" && last !== "" && Number(last) < offset) return null;
  return offset > end ? "outside" : { offset, length: end - offset + 1 };
}
