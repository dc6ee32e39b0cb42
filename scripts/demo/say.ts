/** Prints who says what, and when. */
export type Say = (who: string, words: string) => void;
