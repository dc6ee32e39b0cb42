/** Which part of a file is asked for. https://www.rfc-editor.org/rfc/rfc9110#name-range-requests */

export type Range =
  /** Also for what is malformed or for several parts. */
  { kind: "whole" } | { kind: "part"; offset: number; length: number } | { kind: "outside" };

const WHOLE: Range = { kind: "whole" };

export function parseRange(header: string | undefined, bytes: number): Range {
  const [all, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (all === undefined || (first === "" && last === "")) return WHOLE;
  const offset = first === "" ? Math.max(bytes - Number(last), 0) : Number(first);
  const end = first === "" || last === "" ? bytes - 1 : Math.min(Number(last), bytes - 1);
  if (first !== "" && last !== "" && Number(last) < offset) return WHOLE;
  return offset > end ? { kind: "outside" } : { kind: "part", offset, length: end - offset + 1 };
}
