/** A process that has a box, as `npm start` has: `node engine-holder.ts <argv of the box …>`. */
import { Box } from "../../../scripts/local/engine/box.ts";

await Box.start(process.argv.slice(2), {}, null);
console.log("ready");
setInterval(() => undefined, 60_000);
