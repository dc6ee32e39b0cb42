/** What is said of an alert, to whom it is told by whatever sink. */
import { CHANNELS } from "../../../shared/channels/index.ts";
import type { AlertKind, Notice } from "../../../shared/contracts/alert.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { toOneLine } from "../../../shared/text.ts";
import type { Env } from "../env.ts";

export interface AlertWords {
  /** The installation, as its operator calls it. */
  readonly where: string;
  readonly title: string;
  /** What was found. */
  readonly detail: string;
  /** What a person does about it. Empty where it is resolved. */
  readonly mend: string;
}

interface Mending {
  /** How a command is spelled for this installation. */
  readonly spell: (command: string) => string;
  /** How a changed setting, or a clock, is brought to life. */
  readonly renew: string;
}

const MODEL = "model";

const BY_KIND: Readonly<
  Record<
    AlertKind,
    { title: (subject: string) => string; mend: (mending: Mending, subject: string) => string }
  >
> = {
  parked: {
    title: (subject) => `something was put aside (${subject})`,
    mend: ({ spell }) =>
      `Look at it with \`${spell("npm run dead-letters -- list")}\`, mend the reason, then \`${spell("npm run dead-letters -- replay all")}\`.`,
  },
  misconfigured: {
    title: (subject) => `a setting of ${nameOf(subject)} is missing or wrong`,
    mend: ({ renew }, subject) =>
      `Mend it in the settings' file, and ${renew}. ${subject === MODEL ? "Whoever asked was told that it failed, and asks again." : "Answers that wait for it go on by themselves then."}`,
  },
  failing: {
    title: (subject) => `${subject} fails again and again`,
    mend: ({ spell }) => `Find out why: \`${spell("npm run doctor")}\`.`,
  },
  webhook: {
    title: (subject) => `messages from ${nameOf(subject)} do not come in`,
    mend: ({ spell }) => `Find out why: \`${spell("npm run doctor")}\`.`,
  },
  clock: {
    title: (subject) => `the clock of the ${subject} has stopped`,
    mend: ({ renew }) => `To start it, ${renew}.`,
  },
};

export function describeAlert(
  { INSTALLATION: name }: Env,
  { kind, subject, state, detail }: Notice,
): AlertWords {
  const { title, mend } = BY_KIND[kind];
  const spell = (command: string) => {
    if (name === undefined) return command;
    return command.includes(" -- ") ? `${command} --name ${name}` : `${command} -- --name ${name}`;
  };
  const renew = name === undefined ? "start Errand again" : `\`${spell("npm run deploy")}\``;
  return {
    where: name === undefined ? "Errand on this machine" : `Errand ${name}`,
    title: title(subject),
    detail: toOneLine(detail, LIMITS.error_chars_max),
    mend: state === "firing" ? mend({ spell, renew }, subject) : "",
  };
}

function nameOf(subject: string): string {
  if (subject === MODEL) return "the model";
  return CHANNELS.find(({ name }) => name === subject)?.title ?? subject;
}
