/** The model of this machine: Ollama, if nothing else is configured and it answers. https://docs.ollama.com/api */
import * as z from "zod/mini";
import { PROTOCOLS } from "../../../workers/planner/models/index.ts";
import type { Settings } from "../settings.ts";

const PORT = 11_434;
/** It is on this machine, or it is not there. */
const ANSWERS_MS_MAX = 500;

const Tags = z.object({ models: z.array(z.object({ name: z.string() })) });

/** Ollama's address and its newest model. `OLLAMA_HOST` is Ollama's own variable. */
export async function findModel(settings: Settings, host = process.env["OLLAMA_HOST"]): Promise<Settings> {
  // Whoever configured another protocol wants that one: the first that is configured is asked.
  if (PROTOCOLS.some((protocol) => protocol.describe(settings) !== null)) return {};
  const url = parseHost(host ?? "");
  const name = await findNewestModel(url);
  return name === null ? {} : { ANTHROPIC_MODEL: name, ANTHROPIC_BASE_URL: url };
}

/** Whatever Ollama takes: a URL, a host, a port, or both; where it listens everywhere, it is here. */
function parseHost(host: string): string {
  const [, name = "", port = ""] = /^(?:https?:\/\/)?(\[[^\]]*\]|[^:/]*)(?::(\d+))?\/?$/.exec(host) ?? [];
  if (/^\d+$/.test(name)) return `http://127.0.0.1:${name}`;
  const isHere = ["", "0.0.0.0", "[::]"].includes(name);
  return `http://${isHere ? "127.0.0.1" : name}:${port || PORT}`;
}

/** Ollama lists the model that was changed last first. Null: nobody answers, or it has none. */
async function findNewestModel(url: string): Promise<string | null> {
  try {
    const response = await fetch(`${url}/api/tags`, { signal: AbortSignal.timeout(ANSWERS_MS_MAX) });
    return Tags.parse(await response.json()).models[0]?.name ?? null;
  } catch {
    return null;
  }
}
