/** Called by wrangler before it bundles the runner: see wrangler/runner.jsonc. */
import { bundleInside } from "./local/bundle.ts";

await bundleInside();
