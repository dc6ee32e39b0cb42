/** What the gate of a container lets through. */
import { expect, it } from "vitest";
import { decideEgress, readEgress } from "../../../shared/policy/egress.ts";

const RULES = readEgress(
  JSON.stringify([
    { host: "git.example" },
    {
      host: "api.example",
      methods: ["POST"],
      paths: ["/v1", "/open/"],
      headers: { authorization: "Bearer x" },
    },
  ]),
);

it.each([
  ["GET", "http://git.example/", true],
  ["HEAD", "https://git.example/a/b?c=d", true],
  ["GET", "https://GIT.example./a", true],
  ["POST", "https://git.example/", false],
  ["GET", "https://git.example:8443/", false],
  ["GET", "https://git.example.org/", false],
  ["GET", "https://sub.git.example/", false],
  ["GET", "http://169.254.169.254/", false],
  ["GET", "http://git.example@169.254.169.254/", false],
  ["POST", "https://api.example/v1", true],
  ["POST", "https://api.example/v1/x", true],
  ["POST", "https://api.example/v1x", false],
  ["POST", "https://api.example/open/x", true],
  ["POST", "https://api.example/open", false],
  ["POST", "https://api.example/v1/../admin", false],
  ["POST", "https://api.example/v1/%2e%2e/admin", false],
  ["POST", "https://api.example/v1/%2fadmin", false],
  ["POST", "https://api.example/v1%5cadmin", false],
  ["POST", "https://api.example/v1/%252e%252e/admin", false],
  ["POST", "https://api.example/v1/%ff", false],
  ["POST", "https://api.example//v1", false],
  ["PURGE", "https://api.example/v1", false],
])("%s %s: %s", (method, url, isAllowed) => {
  expect(decideEgress(RULES, method, new URL(url)).kind).toBe(isAllowed ? "allowed" : "refused");
});

it("adds what the rule has, and nothing where there is none", () => {
  expect(decideEgress(RULES, "POST", new URL("https://api.example/v1"))).toEqual({
    kind: "allowed",
    headers: { authorization: "Bearer x" },
  });
  expect(decideEgress(RULES, "GET", new URL("https://git.example/"))).toEqual({
    kind: "allowed",
    headers: {},
  });
  expect(readEgress("")).toEqual([]);
});

it.each([
  "{}",
  "[{}]",
  '[{"host": "*.example"}]',
  '[{"host": "a.example", "header": {"authorization": "secret-1"}}]',
  '[{"host": "a.example", "headers": {"a b": "secret-1"}}]',
  '[{"host": "https://a.example/secret-1"}]',
  "[secret-1]",
])("refuses a list like %s, without a word of it", (text) => {
  expect(() => readEgress(text)).toThrow(/^ERRAND_EGRESS cannot be read/);
  expect(() => readEgress(text)).not.toThrow(/secret-1/);
});
