/** Deploys against an account that this process plays: with a state folder and a settings file of their own. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { CloudflareServer } from "../../fakes/cloudflare/server.ts";
import { deploy } from "../../scripts/cloudflare/commands/deploy.ts";
import { destroy } from "../../scripts/cloudflare/commands/destroy.ts";
import { rollback } from "../../scripts/cloudflare/commands/rollback.ts";
import type { Health } from "../../scripts/installation/health.ts";
import { makeFree, readSources } from "../../scripts/cloudflare/generated.ts";
import { DEPLOY_ORDER } from "../../scripts/cloudflare/live.ts";
import { type InstallationRecord, readRecord } from "../../scripts/cloudflare/record.ts";
import type { World } from "../../scripts/cloudflare/world.ts";
import { makeWrangler } from "../../scripts/cloudflare/wrangler.ts";
import { examineDeployed } from "../../scripts/doctor/deployed.ts";
import { readWorkerConfig, type WorkerConfig } from "../../scripts/installation/worker-config.ts";
import { FakeWrangler } from "./fake-wrangler.ts";

const COMMANDS = { deploy, rollback, destroy };

/** The account, and this machine beside it. `forget` what it remembers to be another machine. */
export class CloudRehearsal {
  readonly cloudflare = new CloudflareServer();
  /** What was said to the person. */
  readonly said: string[] = [];
  /** The commands that wrangler was given. */
  commands: string[] = [];
  /** The code of all Workers, as this version has it. */
  code = "export default {};";
  /** Who answers questions; nobody at first. */
  ask: World["ask"] = null;
  health: Health = { kind: "ok" };
  folder = "";
  /** This project's own wrangler and Workers, instead of the quick ones. */
  real = false;
  private vars = "";

  async open(): Promise<void> {
    await this.cloudflare.listen();
    this.folder = await mkdtemp(join(tmpdir(), "errand-deploy-"));
    this.vars = join(this.folder, "settings.vars");
    await this.set({});
    vi.stubEnv("CLOUDFLARE_API_BASE_URL", this.cloudflare.url);
    vi.stubEnv("CLOUDFLARE_API_TOKEN", this.cloudflare.token);
    vi.stubEnv("CLOUDFLARE_ACCOUNT_ID", this.cloudflare.accountId);
  }

  async close(): Promise<void> {
    vi.unstubAllEnvs();
    await this.cloudflare.close();
    await rm(this.folder, { recursive: true });
  }

  /** An empty account, and a machine that remembers nothing. */
  async begin(): Promise<void> {
    this.cloudflare.reset();
    this.real = false;
    this.code = "export default {};";
    this.ask = null;
    this.health = { kind: "ok" };
    await this.set({});
    await this.forget();
  }

  /** What the settings' file holds. */
  async set(settings: Record<string, string>): Promise<void> {
    await writeFile(
      this.vars,
      Object.entries(settings)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(""),
    );
  }

  async forget(): Promise<void> {
    await rm(this.state, { recursive: true, force: true });
  }

  get state(): string {
    return join(this.folder, "deploy");
  }

  /** What there is on the account, without what is another in each run. */
  picture() {
    const { scripts, databases, queues, buckets, workflows, applications, subdomain } =
      this.cloudflare.account;
    const live = (name: string) => this.cloudflare.account.live(name);
    const isOurs = ({ type }: { type: string }) => type !== "d1" && type !== "secret_text";
    return {
      subdomain,
      workers: Object.fromEntries(
        [...scripts].map(([name, { schedules, subdomain: open, domains }]) => [
          name,
          {
            bindings: live(name).bindings.filter(isOurs),
            secrets: live(name)
              .bindings.filter(({ type }) => type === "secret_text")
              .map(({ name: secret }) => secret),
            schedules,
            open,
            domains,
          },
        ]),
      ),
      databases: [...databases].map(([name, { db }]) => ({
        name,
        migrations: db.prepare("SELECT name FROM d1_migrations").all().length,
        keys: db.prepare("SELECT tenant_id, scopes FROM api_keys").all(),
      })),
      queues: [...queues.values()].map(({ queue_name, consumers }) => ({
        queue_name,
        consumers: consumers.map(({ script, dead_letter_queue }) => ({ script, dead_letter_queue })),
      })),
      buckets: [...buckets.keys()],
      workflows: [...workflows],
      applications: [...applications.values()].map(({ name }) => name),
    };
  }

  record(name = "errand"): Promise<InstallationRecord> {
    return readRecord(this.state, name);
  }

  /** Runs a command as a person would. Rejects with what they would read. @returns all that was said. */
  run(command: keyof typeof COMMANDS, ...args: string[]): Promise<string> {
    return this.runPlain(command, "--vars", this.vars, ...args);
  }

  /** Without a settings' file being named. */
  async runPlain(command: keyof typeof COMMANDS, ...args: string[]): Promise<string> {
    this.said.length = 0;
    this.commands = [];
    await COMMANDS[command](args, this.world());
    return this.said.join("\n");
  }

  /** What the doctor finds. */
  examine(name = "errand") {
    return examineDeployed({ name, vars: this.vars }, this.world());
  }

  private world(): World {
    if (this.real) return { ...this.quickWorld(), makeWrangler, readSources };
    return this.quickWorld();
  }

  private quickWorld(): World {
    const { url, token, accountId } = this.cloudflare;
    const wrangler = new FakeWrangler({ url, token, accountId });
    this.commands = wrangler.commands;
    return {
      folder: this.state,
      say: (words) => void this.said.push(words),
      ask: this.ask,
      makeWrangler: () => wrangler,
      readSources: async () => {
        const sources = DEPLOY_ORDER.map(async (part) => {
          const config = await readWorkerConfig(part);
          const bundle = (planned: WorkerConfig) => ({ config: planned, code: this.code });
          return [part, { paid: bundle(config), free: bundle(makeFree(config)) }] as const;
        });
        return new Map(await Promise.all(sources));
      },
      askHealth: () => Promise.resolve(this.health),
    };
  }
}
