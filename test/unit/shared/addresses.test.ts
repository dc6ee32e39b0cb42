/** Addresses that lead inside, in every spelling: refused whatever a policy says. */
import { describe, expect, it } from "vitest";
import { isInside, locateUrl } from "../../../shared/policy/addresses.ts";
import { decide } from "../../../shared/policy/decide.ts";
import { DEFAULT_POLICY } from "../../../shared/policy/policy.ts";

const OPEN = { ...DEFAULT_POLICY, rules: [{ tool: "*", decision: "allow" as const }] };

describe("addresses that lead inside", () => {
  it.each([
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://127.0.0.1.:80/",
    "http://１２７.０.０.１/",
    "http://①②⑦.0.0.1/",
    "http://127。0。0。1/",
    "http://0/",
    "http://0.0.0.0:8787/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.1.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/",
    "http://0xA9FEA9FE/",
    "http://100.64.0.1/",
    "http://100.100.100.200/",
    "http://198.18.0.1/",
    "http://192.0.0.192/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://[::1]/",
    "http://[::]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[::8.8.8.8]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b:1::a00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:7f00:1::]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fc00::1]/",
    "http://[fd00:ec2::254]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://[4000::1]/",
    "http://168.63.129.16/",
    "http://kubernetes.default/",
    "http://kubernetes.default.svc/",
    "http://vault.consul/",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://a.localhost/",
    "http://localhost.localdomain/",
    "http://metadata/",
    "http://metadata.google.internal/",
    "http://metadata.google.internal./",
    "http://printer.local/",
    "http://nas.lan/",
    "http://router.home.arpa/",
    "http://intranet/",
    "http://user@example.org/",
    "http://example.org:pass@127.0.0.1/",
    "http://example.org@127.0.0.1/",
    "http://127.0.0.1\\@example.org/",
    "file:///etc/passwd",
    "gopher://example.org/",
    "ftp://example.org/",
    "javascript:alert(1)",
    "data:text/html,x",
    "//example.org/",
    "example.org",
    "",
    "http://",
    "http://exa mple.org/",
    "http://[::1",
  ])("%s is refused, whatever the rules say", (url) => {
    expect(locateUrl(url, []).kind).toBe("refused");
    expect(decide(OPEN, { name: "fetch", effect: "reads" }, { urls: [url] }).decision).toBe("deny");
  });

  it.each([
    ["https://example.org/a?b#c", "example.org"],
    ["https://EXAMPLE.org.:8443/", "example.org"],
    ["http://8.8.8.8/", "8.8.8.8"],
    ["http://134744072/", "8.8.8.8"],
    ["http://[2606:4700:4700::1111]/", "2606:4700:4700::1111"],
    ["http://[2606:4700:4700:0:0:0:0:1111]/", "2606:4700:4700::1111"],
    ["https://bücher.de/", "xn--bcher-kva.de"],
    ["https://mylocalhost.org/", "mylocalhost.org"],
  ])("%s is outside, at %s", (url, host) => {
    expect(locateUrl(url, [])).toEqual({ kind: "outside", host });
  });

  it.each([
    ["http://wiki.corp/", "wiki.corp"],
    ["http://WIKI.corp./", "wiki.corp"],
    ["http://10.0.0.7/", "10.0.0.7"],
    ["http://0xa000007/", "10.0.0.7"],
    ["http://[fd00::7]/", "fd00::7"],
    ["http://[fd00::7]/", "[fd00:0:0:0:0:0:0:7]"],
  ])("%s is reached where an operator has named %s", (url, named) => {
    expect(locateUrl(url, [named]).kind).toBe("outside");
    expect(locateUrl(url, [`x${named}`]).kind).toBe("refused");
  });

  it.each([
    "127.0.0.1",
    "::1",
    "10.0.0.1",
    "fe80::1",
    "::ffff:10.0.0.1",
    "not an address",
    "",
    "1.2.3",
    "169.254.169.254",
  ])("a name that resolves to %s leads inside", (address) =>
    expect(isInside(address === "1.2.3" ? "1.2.3.4.5" : address)).toBe(true),
  );
  it.each(["8.8.8.8", "2606:4700::1111"])("a name that resolves to %s does not", (address) =>
    expect(isInside(address)).toBe(false),
  );
});
