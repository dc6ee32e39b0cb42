/** Ports on the loopback address. */
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const TRY_EVERY_MS = 100;

/** Throws one clear line when somebody else listens there, and goes on doing so. */
export async function assertFree(port: number, patienceMs: number): Promise<void> {
  const end = Date.now() + patienceMs;
  for (;;) {
    if ((await listen(port)) === port) return;
    if (Date.now() >= end) {
      throw new Error(
        `Port ${port} is in use. Stop what uses it, or run a second Errand beside it: npm start -- --port ${port + 1} --state .errand-${port + 1}`,
      );
    }
    await sleep(TRY_EVERY_MS);
  }
}

export async function freePort(): Promise<number> {
  const port = await listen(0);
  if (port === null) throw new Error("This machine has no free port on 127.0.0.1.");
  return port;
}

/** The port, once it was listened on and let go again; null when it cannot be had. */
function listen(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(null));
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : null));
    });
  });
}
