/** Before each file: nothing is left of the one before, with which it shares a Worker. */
import { reset } from "cloudflare:test";

await reset();
