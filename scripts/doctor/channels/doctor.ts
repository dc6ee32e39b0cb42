/** What the doctor needs to know of a channel. */
import type { ChatChannelName } from "../../../shared/channels/index.ts";
import type { Settings } from "../../installation/settings.ts";
import type { Finding } from "../finding.ts";

export interface ChannelDoctor {
  readonly channel: ChatChannelName;
  /** Asks the platform who we are to it, and where it sends to. `hook`: where it should; null on one's own machine, where any tunnel may lead here. */
  readonly askPlatform: (
    settings: Settings,
    hook: string | null,
    renew: string,
  ) => Promise<readonly Finding[]>;
  /** A webhook as the platform would send it, which says nothing: whoever accepts it knows the secret. */
  readonly makeEmptyWebhook: (settings: Settings) => { headers: Record<string, string>; body: string };
}
