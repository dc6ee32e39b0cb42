/** The engine of this machine, where it can be one: in CI and on Linux it can, elsewhere what needs it is left out, and said so. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Engine, startEngine, whyNoEngine } from "../../scripts/local/engine/engine.ts";

/** In words; null where there is one. */
export const noEngine = await whyNoEngine();

export const openEngine = async (): Promise<Engine> =>
  startEngine(await mkdtemp(join(tmpdir(), "errand-engine-")));
