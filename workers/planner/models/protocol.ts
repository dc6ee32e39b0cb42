/** A model protocol, described: what configures it, and how its client is made. */
import type { SharedSettings } from "../../../shared/config.ts";
import type { Variable } from "../../../shared/variables.ts";
import type { ModelClient } from "./model.ts";

export interface ModelProtocol {
  readonly name: string;
  readonly variables: readonly Variable[];
  /** What is configured, in a few words for people; null when nothing is. */
  describe(settings: Settings): string | null;
  /** Null: nothing is configured. Loads the client's library, so that those who only ask for the variables need not. */
  open(settings: Settings): Promise<ModelClient | null>;
}

/** Variables by their names, each perhaps unset. */
export type Settings = SharedSettings & { readonly [name: string]: unknown };
