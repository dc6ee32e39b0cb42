/** What `ctx.exports` holds: each Worker has its own alone, and two of them use it. */
import type { Gate } from "./hands/gate.ts";
import type { Witness } from "./runner/ends.ts";

declare global {
  namespace Cloudflare {
    interface GlobalProps {
      mainModule: { Witness: typeof Witness; Gate: typeof Gate };
    }
  }
}
