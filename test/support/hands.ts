/** The hands on this machine's engine, called as the executor calls them. */
import { resolve } from "node:path";
import { readWorkerConfig } from "../../scripts/installation/worker-config.ts";
import { type Outbound, startRuntime } from "../../scripts/local/runtime.ts";
import type { HandsRpc } from "../../shared/contracts/job.ts";
import { decodeBytes, encodeBytes } from "./bytes.ts";
import { openEngine } from "./engine.ts";

export async function openHands(vars: Record<string, string> = {}, outbound?: Outbound) {
  const engine = await openEngine();
  const config = await readWorkerConfig("hands");
  const desk = {
    name: "desk",
    main: resolve("test/support/entries/hands.ts"),
    compatibility_date: config.compatibility_date,
    services: [{ binding: "HANDS", service: config.name }],
  };
  const logs: string[] = [];
  const runtime = await startRuntime({
    workers: [
      { config: desk, vars: {} },
      { config, vars: { ERRAND_TOOLCHAIN: "", ...vars }, ...(outbound && { outbound }) },
    ],
    door: 0,
    engine: engine.socket,
    onLine: (line) => logs.push(line),
  });
  const ask = async (method: keyof HandsRpc, args: unknown[]) => {
    const response = await fetch(runtime.url, { method: "POST", body: encodeBytes({ method, args }) });
    if (!response.ok) throw new Error(await response.text());
    return decodeBytes(await response.text());
  };
  const hands: HandsRpc = {
    begin: (...args) => ask("begin", args) as ReturnType<HandsRpc["begin"]>,
    poll: (...args) => ask("poll", args) as ReturnType<HandsRpc["poll"]>,
    cancel: async (...args) => void (await ask("cancel", args)),
    take: (...args) => ask("take", args) as ReturnType<HandsRpc["take"]>,
    listFetched: (...args) => ask("listFetched", args) as ReturnType<HandsRpc["listFetched"]>,
  };
  return {
    hands,
    engine,
    logs,
    /** As though the machine had taken them away. */
    killAll: () => engine.killAll(),
    async close() {
      await runtime.stop();
      await engine.stop();
    },
  };
}
