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
/** They run what they are given, or what stands in a file; whatever word of a command they are. */
const RUNS_OTHERS: ReadonlySet<string> = new Set(
  (
    "sh bash dash zsh ksh ash fish csh tcsh rbash pwsh powershell eval exec source command builtin alias trap xargs parallel " +
    "env sudo su doas nohup timeout nice stdbuf setsid watch script expect screen tmux ssh docker podman kubectl busybox toybox " +
    "python perl ruby node nodejs deno bun tsx ts-node php awk gawk mawk lua tclsh rscript make npm npx pnpm yarn"
  ).split(" "),
);
const runsOthers = (word: string) => RUNS_OTHERS.has(word.replace(/[\d.]+$/, ""));

/** Whether a command begins with the words of a pattern, spelled as they are. */
export function beginsWith(command: readonly string[], pattern: readonly string[]): boolean {
  return (
    pattern.length <= command.length &&
    pattern.every((word, index) => word === "*" || word === command[index])
  );
}

/** A command in every reading that matters to a rule which forbids: without regard to case, and to where its programs lie. */
interface Reading {
  readonly words: readonly string[];
  readonly names: readonly string[];
  /** Every word, and what stands in it between signs. */
  readonly pieces: ReadonlySet<string>;
  /** It may run what its words do not tell. */
  readonly isOpen: boolean;
}

const nameOf = (word: string) => word.slice(word.lastIndexOf("/") + 1);

export function readForRules(commands: readonly (readonly string[])[]): Reading[] {
  return commands.map((command) => {
    const words = command.map((word) => word.toLowerCase());
    const names = words.map(nameOf);
    const pieces = new Set([...words, ...names].flatMap((word) => [word, ...word.split(/[^\w.-]+/)]));
    const [program = ""] = words;
    const isOpen =
      program === "." ||
      program.includes("/") ||
      names.some(runsOthers) ||
      words.some((word) => /\s/.test(word));
    return { words, names, pieces, isOpen };
  });
}

/** Whether a pattern's words may stand for what one of these commands runs: certainly, possibly, or not. */
export function mayRun(commands: readonly Reading[], pattern: readonly string[]): "yes" | "maybe" | "no" {
  const raw = pattern.map((word) => word.toLowerCase());
  const [program = "", ...rest] = raw;
  const named = [nameOf(program), ...rest];
  // Flags come in any order and spelling, others between them.
  const wanted = named.filter((word) => word !== "*" && !word.startsWith("-"));
  let found: "maybe" | "no" = "no";
  for (const { words, names, pieces, isOpen } of commands) {
    const isNear = wanted.every((word) => pieces.has(word));
    if (isNear && (holds(words, raw) || holds(names, named) || holds(mixed(words, names), named)))
      return "yes";
    if (isNear || isOpen) found = "maybe";
  }
  return found;
}

/** A program is known by its name, and what it is given as it stands. */
const mixed = (words: readonly string[], names: readonly string[]) => [names[0] ?? "", ...words.slice(1)];

const holds = (words: readonly string[], pattern: readonly string[]) =>
  words.some((_word, from) => beginsWith(words.slice(from, from + pattern.length), pattern));
