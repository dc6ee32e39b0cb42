/** Judging a webhook: is it genuine, what does it say, what is the answer. Nothing is stored here, so it works on captured requests too. */
import { type Body, readBody } from "../../shared/body.ts";
import { ChatChannelName } from "../../shared/contracts/channel.ts";
import { LIMITS } from "../../shared/limits.ts";
import { log } from "../../shared/log.ts";
import { receivers, type Settings, type Understood } from "./channels/index.ts";
import { problem } from "./problem.ts";

export interface Judged {
  channel: string;
  /** The answer; that of what was understood holds once it is stored. */
  response: Response;
  /** Null: it was refused. */
  understood: Understood | null;
  body: Body | null;
}

/** `verify: false` judges a request without its secret, for inspection only. */
export async function judge(
  name: string,
  request: Request,
  env: Settings,
  { verify }: { verify: boolean },
): Promise<Judged> {
  const refuse = (response: Response): Judged => ({ channel: name, response, understood: null, body: null });
  const channel = ChatChannelName.safeParse(name);
  if (!channel.success || request.method !== "POST") {
    const detail = `Channels, by POST: ${ChatChannelName.options.join(", ")}.`;
    return refuse(problem({ status: 404, title: "No such channel", detail }));
  }
  const receiver = receivers[channel.data];
  const verdict = verify
    ? await receiver.verify({ headers: request.headers }, env)
    : { kind: "genuine" as const };
  if (verdict.kind === "unconfigured") return refuse(unconfigured(name, verdict.variable));
  if (verdict.kind === "forged") {
    log("warn", { stage: "ingress", effect: "refused", channel: name, detail: "wrong secret token" });
    const detail = "The request does not carry this channel's secret.";
    return refuse(problem({ status: 401, title: "Not genuine", detail }));
  }
  const body = await readBody(request, LIMITS.hook_body_bytes_max);
  const understood = understand(body, (text) => receiver.understand(text, env));
  return { channel: name, response: Response.json({ ok: true }), understood, body };
}

function understand(body: Body, read: (text: string) => Understood): Understood {
  if (body.cut) {
    return {
      kind: "unreadable",
      reason: `larger than ${LIMITS.hook_body_bytes_max} bytes; kept are the first`,
    };
  }
  return body.text === null ? { kind: "unreadable", reason: "not UTF-8" } : read(body.text);
}

function unconfigured(channel: string, variable: string): Response {
  return problem({
    status: 503,
    title: `${variable} is not set`,
    detail: `The channel "${channel}" is not served without it. Set ${variable} in .dev.vars (or with \`wrangler secret put ${variable} -c wrangler/ingress.jsonc\`) and start again.`,
  });
}
