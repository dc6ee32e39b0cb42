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

/** As many that nobody listens at, each another: all are listened at before one is let go. */
export async function freePorts(count: number): Promise<number[]> {
  const held = await Promise.all(Array.from({ length: count }, () => hold(0)));
  await Promise.all(held.map(async (one) => one?.release()));
  return held.map((one) => {
    if (one === null) throw new Error("This machine has no free port on 127.0.0.1.");
    return one.port;
  });
}

export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

/** The port, once it was listened on and let go again; null when it cannot be had. */
async function listen(port: number): Promise<number | null> {
  const held = await hold(port);
  await held?.release();
  return held?.port ?? null;
}

function hold(port: number): Promise<{ port: number; release: () => Promise<void> } | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(null));
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      const release = () => new Promise<void>((released) => server.close(() => released()));
      resolve(typeof address === "object" && address !== null ? { port: address.port, release } : null);
    });
  });
}
