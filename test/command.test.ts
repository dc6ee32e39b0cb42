/** What every command has in common: it tells its usage, and what npm has kept for itself is not passed over. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { command } from "../scripts/installation/command.ts";

const USAGE = "Usage: npm run deploy -- [--plan] [--dry-run]";
const said = vi.spyOn(console, "log").mockImplementation(() => undefined);
const complained = vi.spyOn(console, "error").mockImplementation(() => undefined);
const argv = process.argv;
const run = vi.fn<() => Promise<void>>(() => Promise.resolve());

beforeEach(() => {
  for (const spy of [said, complained, run]) spy.mockClear();
  vi.stubEnv("npm_lifecycle_event", "deploy");
});
afterEach(() => {
  process.argv = argv;
  process.exitCode = 0;
  vi.unstubAllEnvs();
});

it("tells its usage when it is asked to", async () => {
  process.argv = ["node", "deploy.ts", "--help"];
  await command(USAGE, run);
  expect(said).toHaveBeenCalledWith(USAGE);
  expect(run).not.toHaveBeenCalled();
});

it.each([
  ["dry-run", { npm_config_dry_run: "true" }],
  ["plan", { npm_config_parseable: "true", npm_config_long: "true", npm_config_all: "true" }],
])("does nothing without --%s, which npm has kept", async (name, kept) => {
  for (const [key, value] of Object.entries(kept)) vi.stubEnv(key, value);
  process.argv = ["node", "deploy.ts"];
  await command(USAGE, run);
  expect(run).not.toHaveBeenCalled();
  expect(complained.mock.calls.join()).toContain(`npm run deploy -- --${name}`);
  expect(process.exitCode).toBe(1);
  process.argv = ["node", "deploy.ts", `--${name}`];
  await command(USAGE, run);
  expect(run).toHaveBeenCalledTimes(1);
});

it("takes npm's own configuration for nobody's option", async () => {
  vi.stubEnv("npm_config_yes", "true");
  process.argv = ["node", "deploy.ts"];
  await command(`${USAGE} [--yes]`, run);
  expect(run).toHaveBeenCalledTimes(1);
});
