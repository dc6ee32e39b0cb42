/** A module as text: made from the `.ts` beside it by `scripts/installation/bundle.ts`. */
declare module "*.txt" {
  const text: string;
  export default text;
}
