/** The model protocols: one line for each. */
import type { SharedSettings } from "../../../shared/config.ts";
import type { SettingsOf, Variable } from "../../../shared/variables.ts";
import { anthropic } from "./anthropic/protocol.ts";
import { GATEWAY_VARIABLES, type GatewayVariable } from "./gateway.ts";
import type { ModelClient } from "./model.ts";

export const PROTOCOLS = [anthropic] as const;

export type ModelVariable = (typeof PROTOCOLS)[number]["variables"][number] | GatewayVariable;
export const MODEL_VARIABLES: readonly Variable[] = [
  ...PROTOCOLS.flatMap(({ variables }) => variables),
  ...GATEWAY_VARIABLES,
];

/** The client of the first protocol that is configured; null when none is. */
export async function openModel(
  settings: SettingsOf<ModelVariable, "planner"> & SharedSettings,
): Promise<ModelClient | null> {
  for (const protocol of PROTOCOLS) {
    const client = await protocol.open(settings);
    if (client !== null) return client;
  }
  return null;
}
