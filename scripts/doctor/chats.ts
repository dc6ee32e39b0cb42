/** Whether the chat channels are as they should be: at their platform, and at our own door. */
import { getChannel } from "../../shared/channels/index.ts";
import type { Settings } from "../installation/settings.ts";
import type { ChannelDoctor } from "./channels/doctor.ts";
import { CHANNEL_DOCTORS } from "./channels/index.ts";
import { examine, fault, type Finding, ok, warn } from "./finding.ts";

const ANSWERS_MS_MAX = 10_000;

export interface Place {
  readonly url: string;
  /** Platforms are led here by a deploy; on one's own machine by a tunnel that nobody here knows. */
  readonly isPublic: boolean;
  /** Somebody answers there. */
  readonly isThere: boolean;
  /** How a deploy is spelled for it, or a start. */
  readonly renew: string;
}

/** Each channel that is configured, or half configured. */
export async function examineChats(
  settings: Settings,
  place: Place | null,
  renew: string,
): Promise<readonly Finding[]> {
  const found = await Promise.all(
    CHANNEL_DOCTORS.map((doctor) => examineChat(doctor, settings, place, renew)),
  );
  const all = found.flat();
  return all.length > 0
    ? all
    : [
        warn(
          "chats",
          "no channel is configured: it is reached over the API alone",
          "docs/deploy.md, or the page of the channel",
        ),
      ];
}

async function examineChat(
  doctor: ChannelDoctor,
  settings: Settings,
  place: Place | null,
  renew: string,
): Promise<readonly Finding[]> {
  const { title, required } = getChannel(doctor.channel);
  const missing = required.filter((name) => settings[name] === undefined);
  if (missing.length === required.length) return [];
  if (missing.length > 0)
    return [
      fault(
        `${title}: settings`,
        `${missing.join(", ")} is not set`,
        `set it in the settings' file, and ${renew}`,
      ),
    ];
  const hook = place?.isPublic === true ? `${place.url}/hooks/${doctor.channel}` : null;
  const platform = await examine(`${title}: platform`, "see that this machine reaches it", () =>
    doctor.askPlatform(settings, hook, renew),
  );
  return place?.isThere !== true ? platform : [...platform, ...(await knock(doctor, settings, place))];
}

/** Sends a webhook that says nothing, as the platform would. */
async function knock(doctor: ChannelDoctor, settings: Settings, place: Place): Promise<readonly Finding[]> {
  const check = `${getChannel(doctor.channel).title}: our door`;
  const url = `${place.url}/hooks/${doctor.channel}`;
  return examine(check, place.renew, async () => {
    const request = {
      method: "POST",
      redirect: "manual",
      signal: AbortSignal.timeout(ANSWERS_MS_MAX),
    } as const;
    const response = await fetch(url, { ...request, ...doctor.makeEmptyWebhook(settings) });
    await response.body?.cancel();
    const { status } = response;
    if (status === 200) return [ok(check, "it takes webhooks with our secret")];
    if (status === 401) return [fault(check, "it knows another secret than these settings", place.renew)];
    if (status === 503)
      return [fault(check, "its secret is not set there, or its database does not answer", place.renew)];
    if (status >= 300 && status < 400)
      return [
        fault(
          check,
          `it redirects to ${hostOf(response)}: Access, or a rule of the zone, stands in front of it`,
          "let /hooks/* pass without a login (docs/deploy.md)",
        ),
      ];
    return [fault(check, `it answers ${status}`, place.renew)];
  });
}

function hostOf(response: Response): string {
  const location = response.headers.get("location") ?? "";
  return URL.canParse(location) ? new URL(location).host : "elsewhere";
}
