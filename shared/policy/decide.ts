/** What a policy says of a call: pure, so that the same call always gets the same answer, and whoever asks is told which rule it is. */
import { locateUrl } from "./addresses.ts";
import { foldPath, matchesHost, matchesPath, readPath } from "./patterns.ts";
import type { Policy, PolicyRule, Touched, Verb } from "./policy.ts";
import { beginsWith, mayRun, readCommands, readForRules } from "./scripts.ts";

export interface Verdict {
  readonly decision: Verb;
  /** The place of the rule in the policy, from 1; null where none decides. */
  readonly rule: number | null;
  /** In words, for people and models. */
  readonly why: string;
}

export interface AskedTool {
  readonly name: string;
  /** See `contracts/tool.ts`. */
  readonly effect: "none" | "reads" | "acts";
}

export function decide(policy: Policy, tool: AskedTool, touched: Touched): Verdict {
  for (const url of touched.urls ?? []) {
    const place = locateUrl(url, policy.inside_hosts);
    if (place.kind === "refused")
      return { decision: "deny", rule: null, why: `the address is refused: ${place.why}` };
  }
  const seen = read(touched);
  let doubtful: Verdict | null = null;
  for (const [index, rule] of policy.rules.entries()) {
    if (rule.tool !== "*" && rule.tool !== tool.name) continue;
    const holds = rule.decision === "allow" ? coversAll(rule, seen) : concernsAny(rule, seen);
    const place = index + 1;
    if (holds === "maybe")
      doubtful ??= {
        decision: "ask",
        rule: place,
        why: `rule ${place} may forbid it, and its text does not tell`,
      };
    if (holds !== "yes") continue;
    if (rule.decision === "allow" && doubtful !== null) return doubtful;
    return { decision: rule.decision, rule: place, why: `rule ${place} says ${rule.decision}` };
  }
  if (doubtful !== null) return doubtful;
  return tool.effect === "acts"
    ? { decision: "ask", rule: null, why: "it acts on the world, and no rule says otherwise" }
    : { decision: "allow", rule: null, why: "it changes nothing outside, and no rule says otherwise" };
}

type Holds = "yes" | "maybe" | "no";

/** What a call touches, read once for all rules. Null: the text does not tell. */
interface Read {
  readonly hosts: readonly string[];
  readonly paths: readonly (readonly string[] | null)[];
  readonly folded: readonly (readonly string[] | null)[];
  readonly commands: readonly (readonly string[][] | null)[];
  readonly readings: readonly (ReturnType<typeof readForRules> | null)[];
}

function read({ urls = [], paths = [], scripts = [] }: Touched): Read {
  const commands = scripts.map(readCommands);
  return {
    // Those that are refused were told so before.
    hosts: urls.flatMap((url) => locateUrl(url, []).host ?? []),
    paths: paths.map(readPath),
    folded: paths.map((path) => readPath(path) && readPath(foldPath(path))),
    commands,
    readings: commands.map((all) => all && readForRules(all)),
  };
}

/** Whether a kind that is listed is touched, and all that is touched of it fits. */
function covers<One>(
  listed: readonly string[] | undefined,
  all: readonly One[],
  fits: (one: One, pattern: string) => boolean,
): boolean {
  return (
    listed === undefined ||
    (all.length > 0 && all.every((one) => listed.some((pattern) => fits(one, pattern))))
  );
}

/** For `allow`: of each kind that the rule lists, the call touches something, and nothing that is not listed. */
function coversAll({ hosts, paths, commands }: PolicyRule, touched: Read): Holds {
  const isTold = touched.commands.every((script) => script !== null && script.length > 0);
  const isCovered =
    covers(hosts, touched.hosts, matchesHost) &&
    covers(paths, touched.paths, (path, pattern) => path !== null && matchesPath(path, pattern.split("/"))) &&
    (commands === undefined || isTold) &&
    covers(
      commands,
      touched.commands.flatMap((script) => script ?? []),
      (words, pattern) => beginsWith(words, splitWords(pattern)),
    );
  return isCovered ? "yes" : "no";
}

/** For `ask` and `deny`: of each kind that the rule lists, something that the call touches is listed. */
function concernsAny({ hosts, paths, commands }: PolicyRule, touched: Read): Holds {
  const kinds: Holds[] = [];
  if (hosts !== undefined)
    kinds.push(
      touched.hosts.some((host) => hosts.some((pattern) => matchesHost(host, pattern))) ? "yes" : "no",
    );
  if (paths !== undefined) {
    const patterns = paths.map((pattern) => foldPath(pattern).split("/"));
    kinds.push(severest(touched.folded.map((path) => concernsPath(path, patterns))));
  }
  if (commands !== undefined) {
    const patterns = commands.map(splitWords);
    kinds.push(
      severest(
        touched.readings.map((script) =>
          script === null ? "maybe" : severest(patterns.map((pattern) => mayRun(script, pattern))),
        ),
      ),
    );
  }
  if (kinds.includes("no")) return "no";
  return kinds.includes("maybe") ? "maybe" : "yes";
}

function concernsPath(path: readonly string[] | null, patterns: readonly string[][]): Holds {
  if (path === null) return "maybe";
  return patterns.some((pattern) => matchesPath(path, pattern)) ? "yes" : "no";
}

const severest = (all: readonly Holds[]): Holds =>
  all.includes("yes") ? "yes" : all.includes("maybe") ? "maybe" : "no";

const splitWords = (pattern: string) => pattern.trim().split(/\s+/);
