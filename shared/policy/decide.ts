/** What a policy says of a call: pure, so that the same call always gets the same answer, and whoever asks is told which rule it is. */
import { locateUrl } from "./addresses.ts";
import { matchesHost, matchesPath, readPath } from "./patterns.ts";
import type { Policy, PolicyRule, Touched, Verb } from "./policy.ts";
import { beginsWith, mayRun, readCommands } from "./scripts.ts";

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
  let doubtful: Verdict | null = null;
  for (const [index, rule] of policy.rules.entries()) {
    if (rule.tool !== "*" && rule.tool !== tool.name) continue;
    const holds = rule.decision === "allow" ? coversAll(rule, touched) : concernsAny(rule, touched);
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

/** For `allow`: of each kind that the rule lists, the call touches something, and nothing that is not listed. */
function coversAll({ hosts, paths, commands }: PolicyRule, touched: Touched): Holds {
  const scripts = (touched.scripts ?? []).map(readCommands);
  const told = scripts.flatMap((script) => script ?? []);
  const isTold = scripts.every((script) => script !== null && script.length > 0);
  const isCovered =
    covers(hosts, readHosts(touched), matchesHost) &&
    covers(
      paths,
      (touched.paths ?? []).map(readPath),
      (path, pattern) => path !== null && matchesPath(path, pattern),
    ) &&
    (commands === undefined || isTold) &&
    covers(commands, told, (words, pattern) => beginsWith(words, splitWords(pattern)));
  return isCovered ? "yes" : "no";
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

/** For `ask` and `deny`: of each kind that the rule lists, something that the call touches is listed. */
function concernsAny({ hosts, paths, commands }: PolicyRule, touched: Touched): Holds {
  const kinds: Holds[] = [];
  if (hosts !== undefined)
    kinds.push(
      readHosts(touched).some((host) => hosts.some((pattern) => matchesHost(host, pattern))) ? "yes" : "no",
    );
  if (paths !== undefined)
    kinds.push(severest((touched.paths ?? []).map((path) => concernsPath(path, paths))));
  if (commands !== undefined)
    kinds.push(severest((touched.scripts ?? []).map((script) => concernsScript(script, commands))));
  if (kinds.includes("no")) return "no";
  return kinds.includes("maybe") ? "maybe" : "yes";
}

/** In lower case, for some systems do not tell them apart. */
function concernsPath(path: string, patterns: readonly string[]): Holds {
  const segments = readPath(path);
  if (segments === null) return "maybe";
  const plain = segments.map((segment) => segment.normalize("NFKC").toLowerCase());
  return patterns.some((pattern) => matchesPath(plain, pattern.toLowerCase())) ? "yes" : "no";
}

function concernsScript(script: string, patterns: readonly string[]): Holds {
  const commands = readCommands(script);
  if (commands === null) return "maybe";
  return severest(patterns.map((pattern) => mayRun(commands, splitWords(pattern))));
}

const severest = (all: readonly Holds[]): Holds =>
  all.includes("yes") ? "yes" : all.includes("maybe") ? "maybe" : "no";

const splitWords = (pattern: string) => pattern.trim().split(/\s+/);

/** Those that are refused were told so before. */
function readHosts({ urls = [] }: Touched): string[] {
  return urls.flatMap((url) => locateUrl(url, ["*"]).host ?? []);
}
