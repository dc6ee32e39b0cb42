/** What a policy's rules say of files, and what code and scripts then have of them. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { openConversation } from "../support/conversation.ts";
import { openPipeline, type Pipeline } from "../support/pipeline.ts";

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await openPipeline();
});
afterAll(() => pipeline.close());

const open = (name: string) => openConversation(pipeline, name);

it("hold for the files in a folder that is named alone", async () => {
  const { call } = open("folder");
  const files = (input: object) => call("files", input);
  await files({ op: "write", path: "a/secret/x", text: "x" });
  const rules = [{ tool: "*", decision: "deny", paths: ["a/secret/**"] }];
  const policy = { rules, inside_hosts: [], approvers: "person" };
  await pipeline.api("PUT", "/policy", policy);
  expect((await files({ op: "move", path: "a", to: "b" })).error).toContain(
    "rule 1 says deny of `a/secret/x`",
  );
  expect((await files({ op: "delete", path: "a" })).error).toContain("rule 1 says deny");
  await pipeline.api("PUT", "/policy", { ...policy, rules: [] });
  expect((await files({ op: "move", path: "a", to: "b" })).output).toBe("a is b now.");
  expect((await files({ op: "move", path: "b/secret/x", to: "b" })).error).toContain("`b` is a folder");
});

it("hold for what a script and code have at hand, and leave there", async () => {
  const { sh, run, put, get } = open("ruled");
  await put("secret/key", "the secret");
  await put("open.txt", "open");
  const rules = [
    { tool: "*", decision: "deny", paths: ["secret/**"] },
    { tool: "shell", decision: "deny", commands: ["rm *"] },
  ];
  const policy = { rules, inside_hosts: [], approvers: "person" };
  await pipeline.api("PUT", "/policy", policy);
  try {
    const { output } = await sh("cat open.txt secret/key");
    expect(output).toContain("open");
    expect(output).toContain("not in there, by the policy: `secret/key`");
    expect(output).not.toContain("the secret");
    const code = "return workspace.list().join() + (workspace.write('secret/new', 'x'), '')";
    expect((await run(code)).error).toContain("Not kept: `secret/new` (rule 1 says deny)");
    expect(await get("secret/key")).toBe("the secret");
    expect((await sh("rm open.txt")).error).toContain("rule 2 says deny");
    expect((await run("await bash('rm open.txt')")).error).toContain("a policy holds scripts back");
    const misspelt = { ...policy, rules: [{ tool: "shel", decision: "deny" }] };
    expect((await pipeline.api("PUT", "/policy", misspelt)).body).toMatchObject({
      errors: [{ path: "rules.0.tool", message: expect.stringContaining("shell") }],
    });
    const both = { tool: "shell", decision: "deny", paths: ["**"], commands: ["rm *"] };
    expect((await pipeline.api("PUT", "/policy", { ...policy, rules: [both] })).status).toBe(400);
    const closed = [
      { tool: "shell", decision: "allow", commands: ["cat *"] },
      { tool: "*", decision: "allow", paths: ["open.txt"] },
      { tool: "*", decision: "deny" },
    ];
    await pipeline.api("PUT", "/policy", { ...policy, rules: closed });
    expect((await sh("cat open.txt secret/key")).output).not.toContain("the secret");
    const ofShell = [{ tool: "shell", decision: "deny", paths: ["secret/**"] }];
    await pipeline.api("PUT", "/policy", { ...policy, rules: ofShell });
    expect((await run("return (await bash('cat secret/key')).output")).error).toContain("holds scripts back");
    const own = [{ tool: "run_code", decision: "deny", commands: ["rm"] }];
    await pipeline.api("PUT", "/policy", { ...policy, rules: own });
    expect((await run("await bash('rm open.txt')")).error).toContain("a policy holds scripts back");
  } finally {
    await pipeline.api("PUT", "/policy", { ...policy, rules: [] });
  }
});
