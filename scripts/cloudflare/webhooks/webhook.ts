/** How a channel is led to an installation, and away from it again. */
import type { ChatChannelName } from "../../../shared/channels/index.ts";
import type { Settings } from "../../installation/settings.ts";

export interface Webhooks {
  readonly channel: ChatChannelName;
  /** Where the platform is led now; null: nowhere. */
  readonly find: (settings: Settings) => Promise<string | null>;
  /** All that `register` tells the platform: the same again needs not be told. */
  readonly describe: (hook: string, settings: Settings) => unknown;
  /** Leads the platform to the hook, and shows it the menu of commands. Throws in words when the platform refuses. */
  readonly register: (hook: string, settings: Settings) => Promise<void>;
  /** Leads the platform nowhere. */
  readonly remove: (settings: Settings) => Promise<void>;
  /** What a person does next, to talk to it. */
  readonly invite: (settings: Settings) => string;
}
