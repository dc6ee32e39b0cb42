/** Runs in the network of a box: hands every connection to port 80 there to the sidecar, which is elsewhere. */
import { createServer } from "node:net";

const server = createServer({ pauseOnConnect: true }, (socket) => {
  process.send?.("connection", socket);
});
server.listen(80, "127.0.0.1", () => process.send?.("listening"));
// Whoever has started it is gone.
process.once("disconnect", () => process.exit());
