/** Variables by which an installation is configured: which there are, who gets them, and what they look like. */

export const WORKERS = ["ingress", "planner", "executor", "notifier"] as const;
export type WorkerName = (typeof WORKERS)[number];

export interface Variable {
  readonly name: string;
  /** Nobody else gets it. */
  readonly workers: readonly WorkerName[];
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
export type SettingsOf<All extends Variable, Worker extends WorkerName> = Partial<
  Record<NameFor<All, Worker>, string>
>;
/** The names of the variables that this Worker gets. */
export type NameFor<One extends Variable, Worker extends WorkerName> = One extends Variable
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
] as const satisfies readonly Variable[];
export type OwnVariable = (typeof OWN_VARIABLES)[number];
