/** Addresses that lead inside: this machine, its network, a cloud's metadata. Whatever their spelling, they are not reached unless an operator names them. */
import ipaddr from "ipaddr.js";

/** Names that only a private network knows. https://www.iana.org/assignments/special-use-domain-names/ */
const INSIDE_NAMES = [
  "localhost",
  "local",
  "localdomain",
  "internal",
  "intranet",
  "intern",
  "consul",
  "svc",
  "default",
  "box",
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
/** Of a cloud's host, though it is in a public range. https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16 */
const AZURE_HOST = "168.63.129.16";
/** All that is given out to the public. https://www.iana.org/assignments/ipv6-address-space/ */
const PUBLIC_V6: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("2000::"), 3];

export type Place =
  | { readonly kind: "outside"; readonly host: string }
  | { readonly kind: "refused"; readonly host: string | null; readonly why: string };

/** Where a URL leads, by its spelling alone. What a name resolves to is for `isInside` to say, before it is connected to. */
export function locateUrl(text: string, insideHosts: readonly string[]): Place {
  const url = URL.parse(text);
  const host = url === null ? null : normalizeHost(url.hostname);
  const refuse = (why: string): Place => ({ kind: "refused", host, why });
  if (url === null || host === null) return refuse("it is no URL");
  if (url.protocol !== "http:" && url.protocol !== "https:") return refuse("only http and https are served");
  // What stands before an @ looks like a host to people.
  if (url.username !== "" || url.password !== "") return refuse("it holds a user's name or password");
  if (insideHosts.some((named) => normalizeHost(named) === host)) return { kind: "outside", host };
  if (ipaddr.isValid(host) ? isInside(host) : isInsideName(host))
    return refuse(`${host} leads to this machine, its network, or nowhere public`);
  return { kind: "outside", host };
}

/**
 * A host in its one normal spelling: in lower case, as ASCII, without a dot at its end; an address without brackets, and an IPv4 address as that,
 * however it is written. Null for what is none: a port, a path, a pattern.
 */
export function normalizeHost(host: string): string | null {
  const isV6 = ipaddr.IPv6.isValid(host);
  const bracketed = isV6 ? `[${host}]` : host;
  if (/[\s/?#@\\*]/.test(host) || /:\d*$/.test(bracketed)) return null;
  const name = URL.parse(`http://${bracketed}/`)
    ?.hostname.replace(/^\[|\]$/g, "")
    .replace(/\.+$/, "");
  if (name === undefined || name === "") return null;
  return ipaddr.isValid(name) ? ipaddr.process(name).toString() : name;
}

/** Whether an address is none of the public internet's; what carries another inside it (mapped, 6to4, NAT64, Teredo) is none. For what a name resolves to, too. */
export function isInside(address: string): boolean {
  if (!ipaddr.isValid(address)) return true;
  const parsed = ipaddr.process(address);
  return (
    address === AZURE_HOST ||
    parsed.range() !== "unicast" ||
    (parsed instanceof ipaddr.IPv6 && !parsed.match(PUBLIC_V6))
  );
}

/** A name without a dot is looked up in the network that one is in. */
function isInsideName(host: string): boolean {
  return !host.includes(".") || INSIDE_NAMES.some((name) => host === name || host.endsWith(`.${name}`));
}
