/** Every `npm run` command of a person's begins: it tells its usage, and a doctor with nothing to look at says so. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const run = promisify(execFile);
const env = {
  ...process.env,
  npm_lifecycle_event: undefined,
  ERRAND_URL: undefined,
  OLLAMA_HOST: "127.0.0.1:1",
};
/** These are started by others, or do what they do at once. */
const NO_USAGE = new Set(["bundle-inside", "demo"]);
const scripts = (await readdir("scripts"))
  .filter((name) => name.endsWith(".ts"))
  .map((name) => name.replace(".ts", ""))
  .filter((name) => !NO_USAGE.has(name));

it.concurrent.each(scripts)("%s tells its usage", async (script) => {
  const { stdout } = await run(process.execPath, [`scripts/${script}.ts`, "--help"], {
    env,
    timeout: 60_000,
  });
  expect(stdout).toMatch(/^Usage: /);
});

it("the doctor names what is missing, for people and for programs, and ends with 1", async () => {
  const state = await mkdtemp(join(tmpdir(), "errand-scripts-"));
  const look = (...args: string[]) =>
    run(process.execPath, ["scripts/doctor.ts", "--state", state, ...args], { env }).catch(
      (error: { code: number; stdout: string }) => error,
    );
  expect(await look()).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/✗ address .*\n.*→ npm start/),
  });
  const { stdout } = await look("--json");
  expect(JSON.parse(stdout)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ check: "address", state: "fault", mend: "npm start" }),
    ]),
  );
  await rm(state, { recursive: true });
});
