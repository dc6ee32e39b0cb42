/** Containers are chosen, not required: only where they are the hands are there, and the executor is bound to them. */
import type { Settings } from "./settings.ts";
import type { WorkerConfig } from "./worker-config.ts";

const EXECUTOR = "errand-executor";
const BINDING = { binding: "HANDS", service: "errand-hands" };

export const hasHands = ({ ERRAND_HANDS }: Settings): boolean => ERRAND_HANDS === "container";

/** As though they had not been chosen. */
export function withoutHands({ ERRAND_HANDS: _chosen, ...settings }: Settings): Settings {
  return settings;
}

/** The Worker as it is where there are hands. */
export function bindHands(config: WorkerConfig): WorkerConfig {
  if (config.name !== EXECUTOR) return config;
  return { ...config, services: [...(config.services ?? []), BINDING] };
}
