/** What every command of a person's has in common: it tells its usage, and ends in words, never in a stack. */

/** Runs it; a refusal, or an option that nobody knows, is said and ends with 1. */
export async function command(usage: string, run: () => Promise<void>): Promise<void> {
  // Whoever reads only the beginning, as `head` does, has read enough: what is to be done is done to its end.
  process.stdout.on("error", () => undefined);
  try {
    if (process.argv.slice(2).some((arg) => arg === "--help" || arg === "-h")) return console.log(usage);
    refuseSwallowed(usage);
    await run();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    if (isAboutOptions(error)) console.error(usage);
    process.exitCode = 1;
  }
}

/** npm's own configuration knows these, too: a person may have set them for good, and without them a command asks, or only prints. */
const NPMS = new Set(["yes", "json"]);
/** How npm reads `--plan`: as the letters p, l and a of `npm ls`. */
const PLAN_AS_LETTERS = ["parseable", "long", "all"];

const isKept = (name: string) => (process.env[`npm_config_${name.replaceAll("-", "_")}`] ?? "") !== "";
const isGiven = (name: string) =>
  process.argv.some((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));

/** npm takes options for its own that stand before `--`, and says nothing: `npm run deploy --dry-run` would deploy. */
function refuseSwallowed(usage: string): void {
  const { npm_lifecycle_event: script } = process.env;
  if (script === undefined) return;
  const ours = [...usage.matchAll(/--([a-z][a-z-]+)/g)].map(([, name = ""]) => name);
  const swallowed = [...new Set(ours)].find(
    (name) =>
      !NPMS.has(name) && !isGiven(name) && (name === "plan" ? PLAN_AS_LETTERS.every(isKept) : isKept(name)),
  );
  if (swallowed !== undefined)
    throw new Error(
      `npm has kept --${swallowed} for itself. Write it after two hyphens: npm run ${script} -- --${swallowed}`,
    );
}

/** https://nodejs.org/api/errors.html#err_parse_args_unknown_option and its neighbours. */
function isAboutOptions(error: unknown): boolean {
  return error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS_");
}
