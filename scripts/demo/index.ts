/** Who plays in the demo, each a stand-in on this machine. */
export { Model } from "./anthropic.ts";
export { Person } from "./telegram.ts";
