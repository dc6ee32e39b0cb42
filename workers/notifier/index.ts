/** The notifier: makes what is shown what is wanted (`replies`), keeps the dead-letter desk, fetches files, and watches over the installation. */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { ChannelName } from "../../shared/contracts/channel.ts";
import type { ReceivedFile } from "../../shared/contracts/file.ts";
import type { FetchedFile, NotifierRpc } from "../../shared/contracts/rpc.ts";
import { consume } from "../../shared/queue/consume.ts";
import { announceVersion } from "../../shared/version.ts";
import { getBells, type Env } from "./env.ts";
import { parkDeadLetters } from "./dead-letter.ts";
import { deliverAll } from "./deliver.ts";
import { fetchFile } from "./fetch-file.ts";
import { keepLateWatch, watchByClock } from "./watch/watch.ts";

export default class Notifier extends WorkerEntrypoint<Env> implements NotifierRpc {
  override async queue(batch: MessageBatch): Promise<void> {
    const { env } = this;
    announceVersion(env, "notifier", (work) => this.ctx.waitUntil(work));
    this.ctx.waitUntil(keepLateWatch(env));
    if (batch.queue === env.DEAD_LETTER_QUEUE) return parkDeadLetters(batch, env);
    const reconcile = (keys: readonly string[]) => deliverAll(env, keys);
    return consume(batch, { stage: "notifier", db: env.DB, bells: getBells(env), reconcile });
  }

  override scheduled(): Promise<void> {
    announceVersion(this.env, "notifier", (work) => this.ctx.waitUntil(work));
    return watchByClock(this.env);
  }

  fetchFile(channel: ChannelName, file: ReceivedFile): Promise<FetchedFile> {
    announceVersion(this.env, "notifier", (work) => this.ctx.waitUntil(work));
    return fetchFile(this.env, channel, file);
  }
}
