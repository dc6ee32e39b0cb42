/** What of a conversation a prompt has room for. What does not fit is cut from its middle, or left out, and says so. */
import { LIMITS } from "../../../shared/limits.ts";
import type { Step } from "./steps.ts";

/** Something that can be told in less: whose it is, and how many characters it has whole. */
interface Piece {
  readonly owner: object;
  readonly chars: number;
}

/** What a step consists of. */
export interface StepPieces {
  readonly words: readonly Piece[];
  readonly text: Piece;
  readonly inputs: readonly Piece[];
  readonly results: readonly Piece[];
  /** Those that were sent, and those that calls have brought. */
  readonly files: readonly Piece[];
}

/** Characters that a piece may have, by its owner. */
export type Room = ReadonlyMap<object, number>;

/** Calls and their results are told, however short: a model must not take a call for one that it never made. */
const SHORT_CHARS = 160;
const REQUEST_CHARS = 4_000;

/**
 * The task that is being planned has precedence: the request that began it, its newest words, what its last calls brought, what else was
 * said and done in it, and then its files. Of the tasks before it, the newest turns are told, first without results and files, and then not at all.
 */
export function applyBudget(
  steps: readonly Step[],
  measure: (step: Step) => StepPieces,
): { steps: readonly Step[]; room: Room } {
  const budget = new Budget(LIMITS.prompt_history_chars_max);
  const current = steps.filter(({ taskId }) => taskId === steps.at(-1)?.taskId);
  const measured = current.map(measure);
  // What somebody asked for is told, however much has been done since.
  budget.reserve(measured.flatMap(({ words }) => words).slice(0, 1), REQUEST_CHARS);
  budget.reserve(
    measured.toReversed().flatMap(({ words, inputs, results }) => [...inputs, ...results, ...words]),
    SHORT_CHARS,
  );
  for (const group of listByPrecedence(measured)) budget.share(group);
  const kept: Step[] = [...current];
  for (const step of steps.slice(0, steps.length - current.length).toReversed()) {
    if (!budget.take(measure(step))) break;
    kept.unshift(step);
  }
  // What is told begins with something that somebody said, or it would begin with the results of calls that are left out.
  while (kept.length > current.length && kept[0]?.said.length === 0) kept.shift();
  return { steps: kept, room: budget.room };
}

/** A task's pieces in groups, those first that are cut last. */
function listByPrecedence(measured: readonly StepPieces[]): (readonly Piece[])[] {
  const newest = measured.toReversed();
  const lastCalls = newest.find(({ results }) => results.length > 0);
  return [
    newest[0]?.words ?? [],
    lastCalls?.inputs ?? [],
    lastCalls?.results ?? [],
    ...newest.slice(1).map(({ words }) => words),
    ...newest.map(({ inputs }) => inputs),
    ...newest.map(({ text, results }) => [text, ...results]),
    ...newest.map(({ files }) => files),
  ];
}

const sum = (pieces: readonly Piece[]) => pieces.reduce((chars, piece) => chars + piece.chars, 0);
const shorten = ({ owner, chars }: Piece): Piece => ({ owner, chars: Math.min(chars, SHORT_CHARS) });

class Budget {
  readonly room = new Map<object, number>();
  private left: number;

  constructor(left: number) {
    this.left = left;
  }

  /** At least so much of each, whatever else there is. */
  reserve(pieces: readonly Piece[], chars: number): void {
    for (const piece of pieces) this.give(piece, Math.min(piece.chars, chars) - this.of(piece));
  }

  /** The rest of each; where that is too much, the short ones are whole and the long ones equally long. */
  share(pieces: readonly Piece[]): void {
    const wanting = pieces
      .map((piece) => ({ piece, wanted: piece.chars - this.of(piece) }))
      .toSorted((one, other) => one.wanted - other.wanted);
    for (const [index, { piece, wanted }] of wanting.entries())
      this.give(piece, Math.min(wanted, Math.floor(this.left / (wanting.length - index))));
  }

  /** A whole step, else one without results and files; false when there is no room for it. */
  take({ words, text, inputs, results, files }: StepPieces): boolean {
    const kept = [...words, text, ...inputs];
    const rest = [...results, ...files];
    const isWhole = sum([...kept, ...rest]) <= this.left;
    const told = [...kept, ...(isWhole ? rest : rest.map(shorten))];
    if (sum(told) > this.left) return false;
    for (const piece of told) this.give(piece, piece.chars);
    return true;
  }

  private of({ owner }: Piece): number {
    return this.room.get(owner) ?? 0;
  }

  private give(piece: Piece, chars: number): void {
    const given = Math.max(0, Math.min(chars, this.left));
    this.room.set(piece.owner, this.of(piece) + given);
    this.left -= given;
  }
}
