/** What the doctor finds: one line each, with what mends it. */
import { describeError } from "../../shared/errors.ts";

export interface Finding {
  /** What was looked at: `Telegram: webhook`. */
  readonly check: string;
  /** `warn`: it works, with less than it could. */
  readonly state: "ok" | "warn" | "fault";
  /** What was found. No secret is in it. */
  readonly words: string;
  /** What a person does about it: a command, a setting, a link. */
  readonly mend: string | null;
}

export const ok = (check: string, words: string): Finding => ({ check, state: "ok", words, mend: null });
export const warn = (check: string, words: string, mend: string): Finding => ({
  check,
  state: "warn",
  words,
  mend,
});
export const fault = (check: string, words: string, mend: string): Finding => ({
  check,
  state: "fault",
  words,
  mend,
});

/** Whatever keeps a check from being carried out is a finding, too. */
export async function examine(
  check: string,
  mend: string,
  look: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    return [fault(check, `it could not be looked at: ${describeError(error)}`, mend)];
  }
}
