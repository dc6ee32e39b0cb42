/** The state folder of a machine: made with the folders above it, or refused in words. */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openState } from "../scripts/local/state.ts";

it("is made with the folders above it, for its owner alone", async () => {
  const above = await mkdtemp(join(tmpdir(), "errand-state-"));
  const state = join(above, "a", "b");
  await openState(state);
  await openState(state);
  expect((await stat(state)).mode & 0o777).toBe(0o700);
  await rm(above, { recursive: true });
});

it.skipIf(process.platform !== "linux")("is refused where no folder can be made", async () => {
  await expect(openState("/proc/errand/state")).rejects.toThrow("/proc/errand/state cannot be used");
});
