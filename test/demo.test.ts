/** `npm run demo`: what a stranger sees first. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";

it("shows a conversation and its receipt, and ends by itself", async () => {
  const { stdout } = await promisify(execFile)("npm", ["run", "demo"], { timeout: 60_000 });
  expect(stdout).toContain("A leap year has 31622400 seconds.   (the same message, edited)");
  for (const event of ["accepted", "planned 2", "delivered"])
    expect(stdout).toMatch(new RegExp(`Z {2}${event}$`, "m"));
});
