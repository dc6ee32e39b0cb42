/** Which hosts containers may reach, and how: a list of the operator's, and what it says of one request. Pure. */
import * as z from "zod/mini";
import { normalizeHost } from "./addresses.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;
const RULES_MAX = 50;

/** A host, by its whole name. */
const EgressRule = z.strictObject({
  host: z.string().check(z.regex(/^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/)),
  /** Reading, where nothing is said. */
  methods: z.prefault(z.array(z.enum(METHODS)), ["GET", "HEAD"]),
  /** How a path may begin; any, where nothing is said. */
  paths: z.prefault(z.array(z.string().check(z.startsWith("/"))), ["/"]),
  /** What is added outside of the container, in place of what comes from it: a credential. */
  headers: z.prefault(z.record(z.string().check(z.regex(/^[A-Za-z0-9-]+$/)), z.string()), {}),
});
export type EgressRule = z.infer<typeof EgressRule>;

const EgressRules = z.array(EgressRule).check(z.maxLength(RULES_MAX));

/** Reads the list. Throws what is wrong with it, without a word of what is in it: it holds credentials. */
export function readEgress(text: string | undefined): readonly EgressRule[] {
  if (text === undefined || text === "") return [];
  const parsed = EgressRules.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.map(({ path, code }) => `${path.join(".") || "the whole"} (${code})`);
  throw new Error(`ERRAND_EGRESS cannot be read: ${places.join(", ")}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export type Egress =
  | { readonly kind: "allowed"; readonly headers: Readonly<Record<string, string>> }
  /** In words, for whoever has asked in the container. */
  | { readonly kind: "refused"; readonly why: string };

/** @param url as it was asked for, whatever its connection was opened for. */
export function decideEgress(rules: readonly EgressRule[], method: string, url: URL): Egress {
  const host = normalizeHost(url.hostname) ?? "";
  const rule = rules.find((one) => one.host === host);
  if (rule === undefined) return { kind: "refused", why: `${host} is not on the list of hosts` };
  if (url.port !== "") return { kind: "refused", why: "only the ports 80 and 443 are led anywhere" };
  if (!rule.methods.some((one) => one === method))
    return { kind: "refused", why: `${method} is not allowed at ${host}` };
  // As the server would read it: what is encoded may lead elsewhere.
  const path = decodePath(url.pathname);
  if (path === null || !rule.paths.some((beginning) => begins(path, beginning)))
    return { kind: "refused", why: `this path is not allowed at ${host}` };
  return { kind: "allowed", headers: rule.headers };
}

/** Null for what two servers would read in two ways. */
function decodePath(pathname: string): string | null {
  try {
    const path = decodeURIComponent(pathname);
    return /%|\\|\/\.{1,2}(?:\/|$)|\/\//.test(path) ? null : path;
  } catch {
    return null;
  }
}

/** `/a` is the beginning of `/a` and `/a/b`, and not of `/ab`; `/a/` of what is below. */
function begins(path: string, beginning: string): boolean {
  if (!path.startsWith(beginning)) return false;
  return path.length === beginning.length || beginning.endsWith("/") || path[beginning.length] === "/";
}
