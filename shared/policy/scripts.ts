/**
 * What a shell script would run, as far as its text tells. Whatever a shell could make something else of (expansions, redirections, grouping,
 * keywords) is not told, and so never allowed by a rule.
 */

/** The words of each command, in order; null where the text does not tell. */
export function readCommands(script: string): string[][] | null {
  const commands: string[][] = [];
  let words: string[] = [];
  let word: string | null = null;
  const endWord = () => {
    if (word !== null) words.push(word);
    word = null;
  };
  for (let at = 0; at < script.length; at++) {
    const char = script.charAt(at);
    if (char === " " || char === "\t") endWord();
    else if (char === "\n" || char === ";" || char === "|" || char === "&") {
      endWord();
      if (words.length > 0) commands.push(words);
      words = [];
    } else if (char === "'" || char === '"') {
      const end = script.indexOf(char, at + 1);
      const quoted = script.slice(at + 1, end);
      if (end === -1 || (char === '"' && /[$`\\!]/.test(quoted))) return null;
      word = (word ?? "") + quoted;
      at = end;
    } else if (char === "\\") {
      at++;
      if (at >= script.length || script.charAt(at) === "\n") return null;
      word = (word ?? "") + script.charAt(at);
    } else if (UNTOLD.test(char)) return null;
    else word = (word ?? "") + char;
  }
  endWord();
  if (words.length > 0) commands.push(words);
  return commands.some(([name = ""]) => KEYWORDS.has(name) || name.includes("=")) ? null : commands;
}

/** Expansions, redirections, groups, patterns, comments, and what no keyboard types. */
const UNTOLD = /[$`<>(){}*?[\]~#!^\p{Cc}]/u;
const KEYWORDS: ReadonlySet<string> = new Set(
  "if then else elif fi for while until do done case esac select function time coproc [[ in".split(" "),
);
/** They run what they are given, or what stands in a file. */
const RUNS_OTHERS =
  /^(?:(?:ba|da|z|k|a|fi)?sh|eval|exec|source|\.|command|builtin|alias|trap|xargs|parallel|python[\d.]*|perl|ruby|node|deno|bun|php|[gm]?awk|lua|tclsh|ssh|busybox|toybox)$/;

/** Whether a command begins with the words of a pattern, spelled as they are. */
export function beginsWith(command: readonly string[], pattern: readonly string[]): boolean {
  return (
    pattern.length <= command.length &&
    pattern.every((word, index) => word === "*" || word === command[index])
  );
}

/** Whether a pattern's words may stand for what one of these commands runs: certainly, possibly, or not. */
export function mayRun(
  commands: readonly (readonly string[])[],
  pattern: readonly string[],
): "yes" | "maybe" | "no" {
  const all = commands.map((words) => words.map((word) => word.slice(word.lastIndexOf("/") + 1)));
  const isThere = (words: readonly string[]) =>
    words.some((_word, from) => beginsWith(words.slice(from), pattern));
  if (all.some(isThere)) return "yes";
  // Flags come in any order and spelling, others between them; a word with spaces is perhaps a script of its own, and one may hold a name behind a sign.
  const named = pattern.filter((word) => word !== "*" && !word.startsWith("-"));
  const isNear = (words: readonly string[]) => {
    const pieces = new Set(words.flatMap((word) => [word, ...word.split(/[^\w.-]+/)]));
    const isScript = RUNS_OTHERS.test(words[0] ?? "") || words.some((word) => /\s/.test(word));
    return isScript || named.every((word) => pieces.has(word));
  };
  return all.some(isNear) ? "maybe" : "no";
}
