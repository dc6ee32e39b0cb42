/** A model protocol, described: what configures it, and how its client is made. */
import type { SharedSettings } from "../../../shared/config.ts";
import type { SettingsOf, Variable } from "../../../shared/variables.ts";
import type { GatewayVariable } from "./gateway.ts";
import type { ModelClient } from "./model.ts";

/** What a protocol may know: its own variables, and those of the gateway. */
export type ProtocolSettings<Own extends Variable> = SettingsOf<Own | GatewayVariable, "planner"> &
  SharedSettings;

interface ModelProtocol<Name extends string, Variables extends readonly Variable[]> {
  readonly name: Name;
  readonly variables: Variables;
  /** One of these is what it needs. */
  readonly either: readonly NoInfer<Variables[number]["name"]>[];
  /** What is configured, in a few words for people; null when nothing is. */
  readonly describe: (settings: ProtocolSettings<NoInfer<Variables[number]>>) => string | null;
  /** Null: nothing is configured. Loads the client's library, so that those who only ask for the variables need not. */
  readonly open: (settings: ProtocolSettings<NoInfer<Variables[number]>>) => Promise<ModelClient | null>;
}

export function defineProtocol<const Name extends string, const Variables extends readonly Variable[]>(
  protocol: ModelProtocol<Name, Variables>,
): ModelProtocol<Name, Variables> {
  return protocol;
}
