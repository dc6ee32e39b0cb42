/**
 * wrangler's commands as calls of the API, in wrangler's order: what a deploy does to an account is the same, without the two seconds that
 * each start of wrangler takes. `test/deploy/real.test.ts` holds the real one to the same.
 */
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describeBindings, type WorkerJson } from "./worker-json.ts";
import { listMigrations } from "../../scripts/installation/migrations.ts";
import { makeError, type Wrangler, WranglerError } from "../../scripts/cloudflare/wrangler.ts";

type Call = (method: string, path: string, body?: unknown) => Promise<unknown>;

/** Starts and ends with each command; what it was told is kept. */
export class FakeWrangler implements Wrangler {
  readonly commands: string[] = [];
  private readonly url: string;
  private readonly token: string;
  private readonly account: string;

  constructor({ url, token, accountId }: { url: string; token: string; accountId: string }) {
    this.url = url;
    this.token = token;
    this.account = `/accounts/${accountId}`;
  }

  async run(args: readonly string[]) {
    this.commands.push(args.join(" "));
    const versionId = await this.carryOut(args);
    return { stdout: versionId?.stdout ?? "", versionId: versionId?.id ?? null };
  }

  private readonly call: Call = async (method, path, body) => {
    const isForm = body instanceof FormData;
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(!isForm && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: isForm ? body : JSON.stringify(body) }),
    });
    const answer = (await response.json()) as {
      result: unknown;
      errors: { code: number; message: string }[];
    };
    if (response.ok) return answer.result;
    // As the real one: its event has the path alone, and the words stand in what it prints.
    const [{ code, message } = { code: 0, message: "" }] = answer.errors;
    const event = {
      type: "command-failed",
      code,
      message: `A request to the Cloudflare API (${path}) failed.`,
    };
    throw makeError([event], `✘ [ERROR] ${event.message}\n\n  ${message} [code: ${code}]\n`);
  };

  private async carryOut(args: readonly string[]): Promise<{ id?: string; stdout?: string } | null> {
    const { call, account } = this;
    const after = (flag: string) => args[args.indexOf(flag) + 1] ?? "";
    const location = args.includes("--location") ? after("--location") : undefined;
    const [name = ""] = args.filter((arg) => !arg.startsWith("-")).slice(2);
    switch (args.slice(0, 2).join(" ")) {
      case "d1 create":
        await call("POST", `${account}/d1/database`, { name, primary_location_hint: location });
        return null;
      case "r2 bucket":
        if (args[2] === "delete") await call("DELETE", `${account}/r2/buckets/${args[3]}`);
        else await call("POST", `${account}/r2/buckets`, { name: args[3], locationHint: location });
        return null;
      case "queues create":
        await call("POST", `${account}/queues`, { queue_name: name });
        return null;
      case "queues delete":
        await call("DELETE", `${account}/queues/${name}`);
        return null;
      case "queues consumer": {
        const { consumers } = (await call("GET", `${account}/queues/${args[3]}`)) as {
          consumers: { consumer_id: string }[];
        };
        for (const { consumer_id } of consumers)
          await call("DELETE", `${account}/queues/${args[3]}/consumers/${consumer_id}`);
        return null;
      }
      case "d1 time-travel":
        return {
          stdout: JSON.stringify(await call("GET", `${account}/d1/database/${args[3]}/time_travel/bookmark`)),
        };
      case "d1 migrations":
        await this.migrate(args[3] ?? "");
        return null;
      case "d1 execute":
        await this.query(name, after("--command"));
        return null;
      case "d1 export":
        await call("POST", `${account}/d1/database/${name}/export`, {});
        await writeFile(after("--output"), "-- exported\n");
        return null;
      case "d1 delete":
        await call("DELETE", `${account}/d1/database/${name}`);
        return null;
      case "workflows delete":
        await call("DELETE", `${account}/workflows/${name}`);
        return null;
      case "secret bulk": {
        const secrets = JSON.parse(await readFile(args[2] ?? "", "utf8")) as Record<string, string | null>;
        const body = Object.entries(secrets).map(([key, text]) => [
          key,
          text === null ? null : { name: key, text },
        ]);
        await call("PATCH", `${account}/workers/scripts/${after("--name")}/secrets-bulk`, {
          secrets: Object.fromEntries(body),
        });
        return null;
      }
    }
    switch (args[0]) {
      case "delete":
        await call("DELETE", `${account}/workers/services/${args[1]}?force=true`);
        return null;
      case "rollback":
        await call("POST", `${account}/workers/scripts/${after("--name")}/deployments`, {
          versions: [{ version_id: args[1], percentage: 100 }],
        });
        return null;
      case "deploy":
        return args.includes("--dry-run") ? null : this.deploy(args, after);
      default:
        throw new Error(`wrangler ${args.join(" ")} is not known to the tests`);
    }
  }

  private query(database: string, sql: string): Promise<unknown> {
    return this.call("POST", `${this.account}/d1/database/${database}/query`, { sql });
  }

  private async migrate(database: string): Promise<void> {
    await this.query(
      database,
      "CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)",
    );
    const [answer] = (await this.query(database, "SELECT name FROM d1_migrations")) as {
      results: { name: string }[];
    }[];
    const applied = answer?.results.map(({ name }) => name) ?? [];
    for (const file of (await listMigrations()).filter((one) => !applied.includes(one))) {
      const sql = await readFile(join("shared/store/migrations", file), "utf8");
      await this.query(database, `${sql};\nINSERT INTO d1_migrations (name) VALUES ('${file}')`);
    }
  }

  private async deploy(args: readonly string[], after: (flag: string) => string): Promise<{ id: string }> {
    const { call, account } = this;
    const config = JSON.parse(await readFile(after("-c"), "utf8")) as WorkerJson;
    const code = await readFile(join(dirname(after("-c")), "index.js"), "utf8");
    const secrets = args.includes("--secrets-file")
      ? (JSON.parse(await readFile(after("--secrets-file"), "utf8")) as Record<string, string>)
      : {};
    const script = `${account}/workers/scripts/${config.name}`;
    const isThere = await call("GET", `${account}/workers/services/${config.name}`).then(
      () => true,
      () => false,
    );
    const known = isThere
      ? ((await call("GET", `${script}/secrets`)) as { name: string }[]).map(({ name }) => name)
      : [];
    const lacking = config.secrets?.required.find(
      (name) => !known.includes(name) && secrets[name] === undefined,
    );
    if (lacking !== undefined) throw new WranglerError(`The secret ${lacking} is required.`, 0);
    for (const { queue } of config.queues?.consumers ?? []) await call("GET", `${account}/queues/${queue}`);
    const metadata = await this.describe(config, secrets, {
      tag: after("--tag"),
      message: after("--message"),
    });
    const form = new FormData();
    form.set("metadata", JSON.stringify(metadata));
    form.set("index.js", new File([code], "index.js", { type: "application/javascript+module" }));
    let id: string;
    if (isThere) {
      ({ id } = (await call("POST", `${script}/versions`, form)) as { id: string });
      await call("POST", `${script}/deployments`, { versions: [{ version_id: id, percentage: 100 }] });
    } else {
      await call("PUT", script, form);
      const { deployments } = (await call("GET", `${script}/deployments`)) as {
        deployments: { versions: { version_id: string }[] }[];
      };
      id = deployments[0]?.versions[0]?.version_id ?? "";
    }
    await this.setTriggers(config, script);
    await this.makeContainers(config);
    return { id };
  }

  /** The Worker is live by then. */
  private async makeContainers({ name: worker, containers = [] }: WorkerJson): Promise<void> {
    for (const { name, class_name, scheduling_policy } of containers) {
      const namespace_id = `${worker}.${class_name}`;
      const path = `${this.account}/containers/applications`;
      const isThere = await this.call("GET", `${path}/${namespace_id}`).then(
        () => true,
        () => false,
      );
      if (!isThere)
        await this.call("POST", path, { name, scheduling_policy, durable_objects: { namespace_id } });
    }
  }

  private async setTriggers(config: WorkerJson, script: string): Promise<void> {
    const { call, account } = this;
    await call("POST", `${script}/subdomain`, {
      enabled: config.workers_dev,
      previews_enabled: config.preview_urls,
    });
    if (config.routes !== undefined)
      await call("PUT", `${script}/domains/records`, {
        origins: config.routes.map(({ pattern }) => ({ hostname: pattern })),
      });
    if (config.triggers !== undefined)
      await call(
        "PUT",
        `${script}/schedules`,
        config.triggers.crons.map((cron) => ({ cron })),
      );
    for (const { name, class_name } of config.workflows ?? [])
      await call("PUT", `${account}/workflows/${name}`, { script_name: config.name, class_name });
    for (const { queue, dead_letter_queue, ...settings } of config.queues?.consumers ?? []) {
      const path = `${account}/queues/${queue}/consumers`;
      const { consumers } = (await call("GET", `${account}/queues/${queue}`)) as {
        consumers: { consumer_id: string }[];
      };
      const [known] = consumers;
      const body = { type: "worker", script_name: config.name, dead_letter_queue, settings };
      await (known === undefined
        ? call("POST", path, body)
        : call("PUT", `${path}/${known.consumer_id}`, body));
    }
  }

  private async describe(
    config: WorkerJson,
    secrets: Record<string, string>,
    told: { tag: string; message: string },
  ) {
    const databases = (config.d1_databases ?? []).map(async ({ binding, database_name, database_id }) => {
      if (database_id !== undefined) return { name: binding, type: "d1", id: database_id };
      const { uuid } = (await this.call("GET", `${this.account}/d1/database/${database_name}`)) as {
        uuid: string;
      };
      return { name: binding, type: "d1", id: uuid };
    });
    const bindings = [...describeBindings(config, secrets), ...(await Promise.all(databases))];
    const { limits, placement } = config;
    const annotations = { "workers/tag": told.tag, "workers/message": told.message };
    return {
      main_module: "index.js",
      bindings,
      keep_bindings: ["secret_text"],
      limits,
      placement,
      annotations,
    };
  }
}
