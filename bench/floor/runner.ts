/** The floor's runner: the bare isolate. */
import { WorkerEntrypoint } from "cloudflare:workers";

export default class extends WorkerEntrypoint<{ LOADER: WorkerLoader }> {
  async runCode(): Promise<string> {
    const worker = this.env.LOADER.load({
      compatibilityDate: "2026-06-01",
      mainModule: "code.js",
      modules: { "code.js": "export default { fetch: () => new Response(String(6 * 7)) };" },
      env: {},
      globalOutbound: null,
    });
    return (await worker.getEntrypoint().fetch("http://code/")).text();
  }
}
