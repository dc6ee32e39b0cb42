/** Fetching what somebody has sent from its platform, and keeping it. */
import { getChannel } from "../../shared/channels/index.ts";
import { readTimings } from "../../shared/config.ts";
import type { ChannelName } from "../../shared/contracts/channel.ts";
import type { ReceivedFile } from "../../shared/contracts/file.ts";
import type { FetchedFile } from "../../shared/contracts/rpc.ts";
import { permanent, describeError, transient } from "../../shared/errors.ts";
import { keepFile } from "../../shared/files.ts";
import { adapters } from "./channels/index.ts";
import type { Env } from "./env.ts";

/** Done twice it keeps the file once. Failures are returned. */
export async function fetchFile(
  env: Env,
  channel: ChannelName,
  { id, name, mime }: ReceivedFile,
): Promise<FetchedFile> {
  if (channel === "api") return permanent("the API takes no files");
  const { download } = adapters[channel];
  if (download === null) return permanent(`${getChannel(channel).title} takes no files`);
  const downloaded = await download(env, id, readTimings(env));
  switch (downloaded.kind) {
    case "ok":
      try {
        return { kind: "kept", file: await keepFile(env.FILES, { name, mime, content: downloaded.value }) };
      } catch (error) {
        return transient(`the file store: ${describeError(error)}`);
      }
    case "later":
    case "doubt":
      return transient(downloaded.reason);
    case "gone":
    case "undeliverable":
    case "misconfigured":
      return permanent(downloaded.reason);
  }
}
