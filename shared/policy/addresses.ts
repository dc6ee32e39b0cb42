/** Addresses that lead inside: this machine, its network, a cloud's metadata. Whatever their spelling, they are not reached unless an operator names them. */
import ipaddr from "ipaddr.js";

/** Names that only a private network knows. https://www.iana.org/assignments/special-use-domain-names/ */
const INSIDE_NAMES = [
  "localhost",
  "local",
  "localdomain",
  "internal",
  "intranet",
  "private",
  "corp",
  "home",
  "lan",
  "home.arpa",
  "test",
  "example",
  "invalid",
  "onion",
  "alt",
];
/** All that is given out to the public. https://www.iana.org/assignments/ipv6-address-space/ */
const PUBLIC_V6: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("2000::"), 3];

export type Place =
  /** `host` is the one normal spelling: in lower case, without a dot at its end. */
  | { readonly kind: "outside"; readonly host: string }
  | { readonly kind: "refused"; readonly host: string | null; readonly why: string };

/** Where a URL leads, by its spelling alone. What a name resolves to is for `isInside` to say, before it is connected to. */
export function locateUrl(text: string, insideHosts: readonly string[]): Place {
  const url = URL.parse(text);
  if (url === null) return { kind: "refused", host: null, why: "it is no URL" };
  const host = normalizeHost(url.hostname);
  const refuse = (why: string): Place => ({ kind: "refused", host, why });
  if (url.protocol !== "http:" && url.protocol !== "https:") return refuse("only http and https are served");
  // What stands before an @ looks like a host to people.
  if (url.username !== "" || url.password !== "") return refuse("it holds a user's name or password");
  if (insideHosts.some((named) => normalizeHost(named) === host)) return { kind: "outside", host };
  const bare = host.replace(/^\[|\]$/g, "");
  if (ipaddr.isValid(bare) ? isInside(bare) : isInsideName(host))
    return refuse(`${host} leads to this machine, its network, or nowhere public`);
  return { kind: "outside", host };
}

/** The URL parser has made decimal, octal, hexadecimal and full-width numbers one spelling already. */
function normalizeHost(host: string): string {
  return host.toLowerCase().replace(/\.+$/, "");
}

/** Whether an address is none of the public internet's; what carries another inside it (mapped, 6to4, NAT64, Teredo) is none. For what a name resolves to, too. */
export function isInside(address: string): boolean {
  if (!ipaddr.isValid(address)) return true;
  const parsed = ipaddr.process(address);
  return parsed.range() !== "unicast" || (parsed instanceof ipaddr.IPv6 && !parsed.match(PUBLIC_V6));
}

/** A name without a dot is looked up in the network that one is in. */
function isInsideName(host: string): boolean {
  return !host.includes(".") || INSIDE_NAMES.some((name) => host === name || host.endsWith(`.${name}`));
}
