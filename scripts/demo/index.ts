/** Who plays in the demo, each a fake on this machine. */
export { Model } from "./anthropic.ts";
export { Person } from "./telegram.ts";
