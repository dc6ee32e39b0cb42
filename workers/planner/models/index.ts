/** The model protocols: one line for each. */
import { anthropic } from "./anthropic/protocol.ts";
import { GATEWAY_VARIABLES } from "./gateway.ts";
import type { ModelClient } from "./model.ts";
import type { ModelProtocol, Settings } from "./protocol.ts";

export const PROTOCOLS: readonly ModelProtocol[] = [anthropic];

export const MODEL_VARIABLES = [...PROTOCOLS.flatMap(({ variables }) => variables), ...GATEWAY_VARIABLES];

/** The client of the first protocol that is configured; null when none is. */
export async function openModel(settings: Settings): Promise<ModelClient | null> {
  for (const protocol of PROTOCOLS) {
    const client = await protocol.open(settings);
    if (client !== null) return client;
  }
  return null;
}
