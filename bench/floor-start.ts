/** The bare engine, started alone, until it is told to end. */
import { openFloor } from "./subject.ts";

const floor = await openFloor();
process.on("SIGTERM", () => void floor.close().finally(() => process.exit(0)));
console.log("ready");
setInterval(() => undefined, 60_000);
