/** Receiving a webhook: whether it is the platform's, what it says, what the answer is. Nothing is stored here, so it serves captured requests too. */
import { readBody } from "../../shared/body.ts";
import { ChatChannelName } from "../../shared/channels/index.ts";
import { LIMITS } from "../../shared/limits.ts";
import { receivers } from "./channels/index.ts";
import type { Received, ReceiverSettings } from "./channels/receiver.ts";
import { HttpProblem } from "./problem.ts";

/** A request that was received, and what its channel makes of it. */
export type Accepted = Extract<Received, { kind: "received" }>;

/** What a channel's receiver says of a request. Throws an HttpProblem when nobody serves that channel. */
export async function receive(
  name: string,
  request: Request,
  settings: ReceiverSettings,
  { verify, now }: { verify: boolean; now: number },
) {
  const channel = ChatChannelName.safeParse(name);
  if (!channel.success) {
    const detail = `Channels: ${ChatChannelName.options.join(", ")}.`;
    throw new HttpProblem({ status: 404, title: "No such channel", detail });
  }
  const body = await readBody(request, LIMITS.hook_body_bytes_max);
  const { method, headers, url } = request;
  const asked = { method, url: new URL(url), headers, body, now, verify };
  return { channel: channel.data, body, received: await receivers[channel.data].receive(asked, settings) };
}

/** What was received. Throws an HttpProblem when it was refused, or when the channel is not configured. */
export function accepted(channel: ChatChannelName, received: Received): Accepted {
  if (received.kind === "received") return received;
  if (received.kind === "refused")
    throw new HttpProblem(
      { status: received.status, title: "Refused", detail: received.reason },
      received.headers,
    );
  const { variable } = received;
  throw new HttpProblem({
    status: 503,
    title: `${variable} is not set`,
    detail: `The channel "${channel}" is not served without it. Set ${variable} in .dev.vars (or with \`wrangler secret put ${variable} -c wrangler/ingress.jsonc\`) and start again.`,
  });
}
