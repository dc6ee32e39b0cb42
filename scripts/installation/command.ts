/** What every command of a person's has in common: it ends in words, never in a stack. */

/** Runs it; a refusal, or an option that nobody knows, is said and ends with 1. */
export async function command(usage: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    if (isAboutOptions(error)) console.error(usage);
    process.exitCode = 1;
  }
}

/** https://nodejs.org/api/errors.html#err_parse_args_unknown_option and its neighbours. */
function isAboutOptions(error: unknown): boolean {
  return error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS_");
}
