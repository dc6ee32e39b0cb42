/** The code that somebody wants to run, as a module: see `../isolate.ts`. */
export default function code(): unknown;
