/** An installation while it is deployed, taken back or destroyed: what it is to be, what there is of it, and what this machine remembers. */
import { hasHands } from "../installation/hands.ts";
import type { Settings } from "../installation/settings.ts";
import type { CloudflareApi } from "./cloudflare-api.ts";
import type { Live } from "./live.ts";
import { type InstallationRecord, writeRecord } from "./record.ts";
import type { Location } from "./target.ts";
import type { Wrangler } from "./wrangler.ts";

export interface Target {
  readonly name: string;
  readonly location: Location | null;
  readonly domain: string | null;
}

export class Deployment {
  readonly target: Target;
  readonly accountId: string;
  /** Where this machine keeps what it remembers, and the generated configurations. */
  readonly folder: string;
  readonly settings: Settings;
  readonly api: CloudflareApi;
  readonly wrangler: Wrangler;
  readonly live: Live;
  /** Where the settings came from: the file, and the names of those that were given this time. */
  readonly source: { readonly file: string; readonly given: readonly string[] };
  record: InstallationRecord;

  constructor(
    facts: Pick<
      Deployment,
      "target" | "accountId" | "folder" | "settings" | "api" | "wrangler" | "live" | "source" | "record"
    >,
  ) {
    this.target = facts.target;
    this.accountId = facts.accountId;
    this.folder = facts.folder;
    this.settings = facts.settings;
    this.api = facts.api;
    this.wrangler = facts.wrangler;
    this.live = facts.live;
    this.source = facts.source;
    this.record = facts.record;
  }

  /** Writes it down at once: the next run may be after a kill. */
  async remember(change: Partial<InstallationRecord>): Promise<void> {
    this.record = { ...this.record, ...change };
    await writeRecord(this.folder, this.record);
  }

  /** Containers are chosen, and the account has not refused them. */
  get hasHands(): boolean {
    return this.record.handsRefused === null && hasHands(this.settings);
  }

  /** Where people and platforms reach it. */
  url(subdomain: string): string {
    const { name, domain } = this.target;
    return `https://${domain ?? `${name}-ingress.${subdomain}.workers.dev`}`;
  }
}
