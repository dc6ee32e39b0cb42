/** What `ctx.exports` holds in the runner, the only Worker that uses it. */
import type { Witness } from "./ends.ts";

declare global {
  namespace Cloudflare {
    interface GlobalProps {
      mainModule: { Witness: typeof Witness };
    }
  }
}
