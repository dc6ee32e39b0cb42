/** One thing that holds the promise, and how it is taken away. */
export interface Mutation {
  /** What is taken away. */
  name: string;
  file: string;
  /** Stands exactly once in the file. */
  find: string;
  replace: string;
  test: string;
}
