/** How a channel is led to an installation, and away from it again. */
import type { ChatChannelName } from "../../../shared/channels/index.ts";
import type { Settings } from "../../installation/settings.ts";

export interface Webhooks {
  readonly channel: ChatChannelName;
  /** Leads the platform to the URL, and shows it the menu of commands. The same again changes nothing. Throws in words when the platform refuses. */
  readonly register: (url: string, settings: Settings, others: readonly string[]) => Promise<void>;
  /** Takes the platform away from the URL, if it is led there. */
  readonly remove: (url: string, settings: Settings) => Promise<void>;
}
