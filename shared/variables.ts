/** Variables by which an installation is configured: which there are, who gets them, and what they look like. */

export const WORKERS = ["ingress", "planner", "executor", "notifier"] as const;
export type WorkerName = (typeof WORKERS)[number];

/** Whoever may get a variable. */
export type Receiver = WorkerName | "hands";

export interface Variable {
  readonly name: string;
  /** Nobody else gets it. */
  readonly workers: readonly Receiver[];
  /** Whoever knows it may act as us: it is deployed as a secret, and never shown. */
  readonly secret: boolean;
  /** A secret that only we and the platform need to know: a deployment makes one when nobody gives it. */
  readonly made?: true;
  /** For people: what it is for, and what holds while it is empty. Lines of `.dev.vars.example`. */
  readonly about: readonly string[];
  /** What a value must match that is not empty, and that in words. */
  readonly shape?: { readonly pattern: RegExp; readonly words: string };
}

export const URL_SHAPE = (example: string) => ({
  pattern: /^https?:\/\//,
  words: `a URL, such as ${example}`,
});

/** The variables that a Worker may see, each of them perhaps unset. */
export type SettingsOf<All extends Variable, Worker extends Receiver> = Partial<
  Record<NameFor<All, Worker>, string>
>;
/** The names of the variables that this Worker gets. */
export type NameFor<One extends Variable, Worker extends Receiver> = One extends Variable
  ? Worker extends One["workers"][number]
    ? One["name"]
    : never
  : never;

export const OWN_VARIABLES = [
  {
    name: "ERRAND_LINK_SECRET",
    workers: ["ingress"],
    secret: true,
    made: true,
    about: ["Signs links to files. Empty: one of the installation's own."],
  },
  {
    name: "ERRAND_TIMINGS",
    workers: WORKERS,
    secret: false,
    about: [
      'Overrides of the timings in shared/limits.ts, in milliseconds, as JSON: {"task_deadline_ms": 600000}',
    ],
  },
  {
    name: "ERRAND_HANDS",
    workers: ["planner", "executor"],
    secret: false,
    about: [
      "`container`: scripts run on real Linux, with git and python (docs/containers.md). Empty: embedded, in an isolate.",
    ],
    shape: { pattern: /^container$/, words: "container, or nothing" },
  },
  {
    name: "ERRAND_CONTAINERS_MAX",
    workers: ["executor"],
    secret: false,
    about: ["As many containers may run at once; who comes then waits. Empty: 10."],
    shape: { pattern: /^[1-9]\d{0,2}$/, words: "a number from 1 to 999" },
  },
  {
    name: "ERRAND_TOOLCHAIN",
    workers: ["hands"],
    secret: false,
    about: [
      "A script that installs what containers on Cloudflare are to have, run once, with the Internet. Empty: git, python3, a compiler, ripgrep, jq …",
    ],
  },
  {
    name: "ERRAND_EGRESS",
    workers: ["hands"],
    secret: true,
    about: [
      'Hosts that containers may reach, as JSON: [{"host": "github.com", "methods": ["GET", "POST"], "paths": ["/me/"], "headers": {"authorization": "…"}}]',
      "(docs/containers.md). Empty: none.",
    ],
    shape: { pattern: /^\[[^]*\]$/, words: "a list, as JSON" },
  },
  {
    name: "ERRAND_ALERT_CHAT",
    workers: ["notifier"],
    secret: false,
    about: [
      "Who is told when something is wrong with the installation (docs/operations.md): a chat, written as `npm run people -- list` shows it.",
    ],
    shape: {
      pattern: /^[a-z]+:[^\s:]+(?::[^\s:]+)?$/,
      words: "a channel, a colon, and the id of a chat there",
    },
  },
  {
    name: "ERRAND_ALERT_URL",
    workers: ["notifier"],
    secret: true,
    about: ["Or a webhook, signed with the secret of the next line as Standard Webhooks has it."],
    shape: URL_SHAPE("https://example.org/alerts"),
  },
  {
    name: "ERRAND_ALERT_SECRET",
    workers: ["notifier"],
    secret: true,
    about: ["whsec_ and at least 24 random bytes as base64. The receiver knows it, too."],
    shape: {
      pattern: /^whsec_[A-Za-z0-9+/]{32,}={0,2}$/,
      words: "whsec_ and at least 24 bytes as base64",
    },
  },
  {
    name: "ERRAND_ERROR_DSN",
    workers: ["notifier"],
    secret: true,
    about: ["Or an error tracker that speaks Sentry's protocol."],
    shape: {
      pattern: /^https?:\/\/[^@/\s]+@[^@\s]+\/\d+$/,
      words: "a DSN, such as https://key@o1.ingest.sentry.io/2",
    },
  },
] as const satisfies readonly Variable[];
/** Pairs of which one alone is a mistake. */
export const OWN_TOGETHER = [["ERRAND_ALERT_URL", "ERRAND_ALERT_SECRET"]] as const;
export type OwnVariable = (typeof OWN_VARIABLES)[number];
