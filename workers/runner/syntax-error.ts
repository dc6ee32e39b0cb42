/** What a reader of code says that could not read it: in the code's own lines, without a word of what stands around it. */

export interface SyntaxFault {
  readonly message: string;
  /** Counted from 1, in the code as it was given. */
  readonly line: number;
  readonly column: number;
}

/** V8's: `Uncaught SyntaxError: Unexpected number\n  at code.js:2:10`, whose columns count from 0; that one is left out. */
const FROM_V8 = /SyntaxError: (.*)(?:\s+at code\.js:(\d+)(?::(\d+))?)?/;
/** The parser's that takes types away: `SyntaxError: Unexpected token (1:17)`. */
const FROM_PARSER = /SyntaxError: (.*) \((\d+):(\d+)\)/;

/** The fault that the runtime tells of; null when it is another kind of failure. So many characters stand before the code in its first line. */
export function readRuntimeFault(reason: string, charsBefore: number): SyntaxFault | null {
  const [, message, line = "1", column = "0"] = FROM_V8.exec(reason) ?? [];
  if (message === undefined) return null;
  const shift = line === "1" ? charsBefore : 0;
  return { message, line: Number(line), column: Number(column) + 1 - shift };
}

export function readParserFault(reason: string): SyntaxFault | null {
  const [, message, line, column] = FROM_PARSER.exec(reason) ?? [];
  return message === undefined ? null : { message, line: Number(line), column: Number(column) };
}

/** Of two readers, what the one says that came further. */
export function pickFurther(one: SyntaxFault, other: SyntaxFault | null): SyntaxFault {
  if (other === null) return one;
  const isFurther = other.line > one.line || (other.line === one.line && other.column > one.column);
  return isFurther ? other : one;
}

/** In words, with its line. What is found behind the code's end is a bracket that fits none. */
export function describeFault({ message, line }: SyntaxFault, code: string): string {
  // As JavaScript counts them.
  const lines = code.split(/\r\n|[\n\r\u2028\u2029]/).length;
  if (line <= lines) return `SyntaxError: ${message} (line ${line})`;
  return `SyntaxError: Unexpected end of the code (line ${lines}): something is not closed, or closed twice`;
}
