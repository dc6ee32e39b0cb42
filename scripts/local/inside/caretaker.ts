/** A Worker beside the others on this machine, for what its process has to do in the runtime: it rings the clock, and prepares the database. */
import { addFirstKey } from "../../../shared/store/api-keys.ts";
import { expireClaims } from "../../../shared/store/outbox.ts";

export interface Statement {
  sql: string;
  bindings?: readonly (string | number | null)[];
}

/** A Worker of Errand's, by its name. */
export type Clocked = `errand-${string}`;

/** What it is asked to do, and with what. */
export type Chore =
  | { do: "ring"; worker: Clocked; cron: string; at: number }
  | { do: "batch"; statements: readonly Statement[] }
  | { do: "addFirstKey"; key: { hash: string; tenantId: string; label: string; now: number } }
  | { do: "expireClaims"; now: number };

/** What a service is with `service_binding_extra_handlers`. */
interface Scheduled {
  scheduled(options: { cron: string; scheduledTime: Date }): Promise<unknown>;
}

interface Env {
  DB: D1Database;
  /** Known to the process that started it, and to nobody else. */
  SECRET: string;
  [worker: Clocked]: Scheduled | undefined;
}

export default {
  async fetch(request, env) {
    if (request.headers.get("authorization") !== env.SECRET) return new Response(null, { status: 404 });
    return Response.json(await run(await request.json<Chore>(), env));
  },
} satisfies ExportedHandler<Env>;

async function run(chore: Chore, env: Env): Promise<unknown> {
  switch (chore.do) {
    case "ring": {
      const { worker, cron, at } = chore;
      const service = env[worker];
      if (service === undefined) throw new Error(`No Worker is named ${worker}.`);
      await service.scheduled({ cron, scheduledTime: new Date(at) });
      return null;
    }
    case "batch": {
      const prepared = chore.statements.map(({ sql, bindings = [] }) =>
        env.DB.prepare(sql).bind(...bindings),
      );
      return (await env.DB.batch(prepared)).map(({ results }) => results);
    }
    case "addFirstKey":
      await addFirstKey(env.DB, chore.key);
      return null;
    case "expireClaims":
      await expireClaims(env.DB, chore.now);
      return null;
  }
}
