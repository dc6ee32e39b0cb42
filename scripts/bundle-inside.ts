/** Called by wrangler before it bundles the runner: see wrangler/runner.jsonc. */
import { bundleInside } from "./installation/bundle.ts";

await bundleInside();
