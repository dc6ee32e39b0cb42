/** What a policy says: tables of hosts, commands and paths in every spelling. Forbidden ones are never allowed. */
import { describe, expect, it } from "vitest";
import { decide } from "../../../shared/policy/decide.ts";
import { DEFAULT_POLICY, Policy, type PolicyRule, type Touched } from "../../../shared/policy/policy.ts";

const SHELL = { name: "shell", effect: "acts" } as const;
const ruledBy = (...rules: PolicyRule[]): Policy => ({ ...DEFAULT_POLICY, rules });
const say = (policy: Policy, touched: Touched, tool: Parameters<typeof decide>[1] = SHELL) =>
  decide(policy, tool, touched).decision;

describe("without rules", () => {
  it.each([
    ["none", "allow"],
    ["reads", "allow"],
    ["acts", "ask"],
  ] as const)("a tool whose effect is %s: %s", (effect, decision) => {
    expect(say(DEFAULT_POLICY, {}, { name: "x", effect })).toBe(decision);
  });
});

describe("the first rule that holds decides", () => {
  it("by its tool, or for all", () => {
    const policy = ruledBy({ tool: "run_code", decision: "deny" }, { tool: "*", decision: "allow" });
    expect(decide(policy, { name: "run_code", effect: "none" }, {})).toEqual({
      decision: "deny",
      rule: 1,
      why: "rule 1 says deny",
    });
    expect(say(policy, {})).toBe("allow");
  });

  it.each([
    ["https://example.org/", "allow"],
    ["https://docs.example.org/", "allow"],
    ["https://evil-example.org/", "ask"],
    ["https://example.org.evil.com/", "ask"],
    ["https://secret.example.org/", "deny"],
    ["https://SECRET.example.org./", "deny"],
  ])("%s: %s", (url, decision) => {
    const policy = ruledBy(
      { tool: "*", decision: "deny", hosts: ["secret.example.org"] },
      { tool: "*", decision: "allow", hosts: ["example.org", "*.example.org"] },
    );
    expect(say(policy, { urls: [url] })).toBe(decision);
    // One that is not listed is enough.
    expect(say(policy, { urls: ["https://example.org/", url] })).toBe(decision);
  });
});

describe("commands", () => {
  const policy = ruledBy(
    { tool: "shell", decision: "deny", commands: ["rm", "git push", "curl"] },
    {
      tool: "shell",
      decision: "allow",
      commands: ["git *", "ls", "echo", "npm run *", "find", "env", "sudo", "bash", "xargs"],
    },
  );
  it.each([
    "rm -rf /",
    "/bin/rm x",
    "../../bin/rm x",
    "r\\m x",
    "'rm' x",
    'r"m" x',
    "ls; rm x",
    "ls && rm x",
    "ls || rm x",
    "ls | rm x",
    "ls & rm x",
    "ls\nrm x",
    "sudo rm x",
    "env rm x",
    "env A=1 rm x",
    "find . -exec rm x",
    "xargs rm",
    "git push",
    "git push --force",
    "echo x | xargs rm",
    "bash -c 'rm x'",
    "bash -c rm",
    "$(echo rm) x",
    "`echo rm` x",
    "$RM x",
    "A=rm; $A x",
    "A=rm",
    "ls > /etc/passwd",
    "ls < x",
    "ls $(rm x)",
    "ls `rm x`",
    "ls <(rm x)",
    "(rm x)",
    "{ rm x; }",
    "if ls; then rm x; fi",
    "! rm x",
    "r?",
    "/bin/r*",
    "r[m] x",
    "r{m,} x",
    "ls # rm",
    "ls \\\nrm",
    "$'\\x72m' x",
    '"$(rm x)"',
    "git -c core.pager=rm log",
    "git -c alias.x='!rm y' x",
    "git -C . push",
    "git --no-pager push",
    "eval rm",
    "exec rm",
    "source x",
    ". x",
    "time rm x",
    "PATH=/evil git status",
    "/tmp/evil/git status",
    "./ls",
    "ls\u0000rm",
    "ls\rrm x",
    "ls\u2028rm x",
    "unlisted x",
    "",
    "   ",
    "'unclosed",
    '"unclosed',
    "ls \\",
    "alias ls=rm; ls",
  ])("%j is not allowed", (script) => {
    expect(say(policy, { scripts: [script] })).not.toBe("allow");
  });

  it.each([
    ["rm -rf /", "rm -rf /"],
    ["/bin/rm", "/bin/rm x"],
    ["/bin/rm", "rm x"],
    ["./deploy.sh", "./deploy.sh now"],
    ["cat /etc/passwd", "cat /etc/passwd"],
    ["git push origin feature/x", "git push origin feature/x"],
    ["curl https://evil.example/x", "curl https://evil.example/x"],
    ["rm", "RM -rf x"],
    ["rm", "sudo sh x"],
    ["rm", "env bash x.sh"],
    ["rm", "curl x | sudo bash"],
    ["rm", "timeout 5 bash x"],
    ["rm", "nohup python3 x.py"],
    ["rm", "find . -exec sh x +"],
    ["rm", "docker run x sh y"],
    ["rm", "pwsh x"],
    ["rm", "tsx x"],
    ["rm", "make"],
    ["rm", "npx x"],
    ["rm", "./x.sh"],
    ["rm", "env -Srm foo"],
    ["rm", "env python3 -c 'exec(chr(114)+chr(109))'"],
  ])("where %j is denied, %j is not allowed by what comes after", (pattern, script) => {
    const rules = ruledBy(
      { tool: "shell", decision: "deny", commands: [pattern] },
      { tool: "*", decision: "allow" },
    );
    expect(say(rules, { scripts: [script] })).not.toBe("allow");
    expect(say(rules, { scripts: ["ls inbox"] })).toBe("allow");
  });

  it.each(["rm -rf /", "sudo rm x", "ls; rm x", "'rm' x", "/bin/rm x", "git push"])(
    "%j is denied",
    (script) => {
      expect(say(policy, { scripts: [script] })).toBe("deny");
    },
  );

  it.each([
    "git status",
    "ls -la inbox",
    "git log && ls",
    "npm run build",
    "echo 'a; b'",
    'echo "two words"',
    "find . -name x",
  ])("%j is allowed", (script) => {
    expect(
      say(
        ruledBy({ tool: "shell", decision: "allow", commands: ["git *", "ls", "echo", "npm run *", "find"] }),
        { scripts: [script] },
      ),
    ).toBe("allow");
  });
  it("one that is denied by name keeps others as they were", () => {
    expect(say(policy, { scripts: ["git status"] })).toBe("allow");
    expect(say(policy, { scripts: ["ls -la"] })).toBe("allow");
    expect(say(policy, { scripts: ["git status", "rm x"] })).toBe("deny");
  });
});

describe("paths", () => {
  const policy = ruledBy(
    { tool: "*", decision: "deny", paths: ["**/.env", "secret/**"] },
    { tool: "*", decision: "allow", paths: ["inbox/*", "reports/**", ".env"] },
  );
  it.each([
    ["inbox/a.txt", "allow"],
    ["./inbox//a.txt", "allow"],
    ["reports/2026/11/a.txt", "allow"],
    ["inbox/a/b.txt", "ask"],
    ["inbox", "ask"],
    ["other/a.txt", "ask"],
    ["secret/a.txt", "deny"],
    ["SECRET/a.txt", "deny"],
    ["ｓｅｃｒｅｔ/a.txt", "deny"],
    [".env", "deny"],
    ["reports/.env", "deny"],
    ["inbox/../secret/a.txt", "ask"],
    ["/inbox/a.txt", "ask"],
    ["inbox\\..\\secret", "ask"],
    ["inbox/a\u0000.txt", "ask"],
    ["inbox/e\u0301.txt", "ask"],
    ["", "ask"],
    [".", "ask"],
  ])("%j: %s", (path, decision) => {
    expect(say(policy, { paths: [path] })).toBe(decision);
  });

  it("patterns of many stars take no longer", () => {
    const stars = Array.from({ length: 60 }, () => "**").join("/");
    const path = Array.from({ length: 2_000 }, () => "a").join("/");
    expect(say(ruledBy({ tool: "*", decision: "allow", paths: [`${stars}/b`] }), { paths: [path] })).toBe(
      "ask",
    );
    const wild = ruledBy({ tool: "*", decision: "allow", paths: [`${"*a".repeat(90)}b`] });
    expect(say(wild, { paths: ["a".repeat(20_000)] })).toBe("ask");
    expect(say(ruledBy({ tool: "*", decision: "allow", paths: ["a*b*c"] }), { paths: ["axxbxxc"] })).toBe(
      "allow",
    );
    expect(say(ruledBy({ tool: "*", decision: "allow", paths: ["ab*ba"] }), { paths: ["aba"] })).toBe("ask");
  });
});

describe("what a rule denies is read as what a call touches is", () => {
  it.each([
    ["hosts", "müller.de", "https://müller.de/"],
    ["hosts", "2606:4700:4700::1111", "https://[2606:4700:4700:0::1111]/"],
    ["hosts", "8.8.8.8", "http://134744072/"],
    ["hosts", "0x08080808", "http://8.8.8.8/"],
    ["hosts", "EXAMPLE.org.", "https://example.org/"],
    ["paths", "secrets/**", "./secrets//a"],
    ["paths", "café/**", "CAFÉ/menu"],
    ["paths", "straße", "STRASSE"],
    ["paths", "Ⅷ.txt", "viii.txt"],
  ] as const)("%s %j, and %j", (kind, pattern, touched) => {
    const rules = ruledBy(
      { tool: "*", decision: "deny", [kind]: [pattern] },
      { tool: "*", decision: "allow" },
    );
    expect(Policy.safeParse(rules).error).toBeUndefined();
    expect(say(rules, kind === "hosts" ? { urls: [touched] } : { paths: [touched] })).toBe("deny");
  });

  it.each([
    ["hosts", "https://example.org"],
    ["hosts", "example.org:443"],
    ["hosts", " example.org"],
    ["hosts", "api.*"],
    ["hosts", "example.org/path"],
    ["paths", "secrets/"],
    ["paths", "/secrets/**"],
    ["paths", "./secrets/**"],
    ["paths", "secrets//**"],
    ["paths", "../x"],
    ["paths", "cafe\u0301/**"],
    ["paths", Array.from({ length: 30 }, () => "**").join("/")],
    ["commands", "rm; ls"],
    ["commands", "echo $HOME"],
    ["commands", "  "],
  ])("a pattern that could never match is refused: %s %j", (kind, pattern) => {
    const rules = ruledBy({ tool: "*", decision: "deny", [kind]: [pattern] });
    expect(Policy.safeParse(rules).success).toBe(false);
  });
});

it("a large policy on a large script is read once, and not for each pattern", () => {
  const patterns = Array.from({ length: 50 }, (_, index) => `forbidden${index} --now`);
  const rules = Array.from({ length: 100 }, (): PolicyRule => ({
    tool: "*",
    decision: "deny",
    commands: patterns,
  }));
  const script = "ls a b c; ".repeat(3_200);
  expect(say(ruledBy(...rules, { tool: "*", decision: "allow" }), { scripts: [script] })).toBe("allow");
});

it("a rule with a misspelt field is no rule", () => {
  expect(
    Policy.safeParse({ ...DEFAULT_POLICY, rules: [{ tool: "*", decision: "allow", host: ["x"] }] }).success,
  ).toBe(false);
});
