/** What `wrangler/*.jsonc` must say, for production as for this machine. */
import { readFileSync } from "node:fs";
import { parse } from "jsonc-parser";
import { describe, expect, it } from "vitest";
import { WORKERS } from "./support/worker-configs.ts";

const configs = WORKERS.map((name) => ({
  ...parse(readFileSync(`wrangler/${name}.jsonc`, "utf8"), [], { allowTrailingComma: true }),
  worker: name,
}));

describe("the configurations", () => {
  it.each(configs)(
    "let strangers reach $worker only if it is ingress",
    ({ worker, workers_dev, preview_urls }) => {
      expect({ workers_dev, preview_urls }).toEqual({
        workers_dev: worker === "ingress",
        preview_urls: false,
      });
    },
  );

  it.each(configs)("bound the CPU time of $worker", ({ limits }) => {
    expect(limits?.cpu_ms).toBeGreaterThan(0);
    expect(limits?.cpu_ms).toBeLessThanOrEqual(30_000);
  });

  it.each(configs)(
    "keep logs of $worker, and nothing of it that could hold a secret",
    ({ worker, observability }) => {
      expect(observability).toMatchObject({
        enabled: true,
        redact_query_string: true,
        logs: { enabled: true, invocation_logs: false },
        // The tokens of platforms are part of the URLs that it calls.
        traces: { enabled: worker !== "notifier" },
      });
    },
  );

  it("give the runner nothing but the loader", () => {
    const runner = configs.find(({ worker }) => worker === "runner");
    const about = ["$schema", "build", "compatibility_date", "limits", "main", "name", "observability"];
    const known = [...about, "preview_urls", "worker", "worker_loaders", "workers_dev"];
    expect(Object.keys(runner).toSorted()).toEqual(known.toSorted());
  });

  it("consume every queue at once, and every dead letter", () => {
    const consumers = configs.flatMap(({ queues }) => queues?.consumers ?? []);
    const produced = new Set(
      configs.flatMap(({ queues }) => queues?.producers ?? []).map(({ queue }) => queue),
    );
    expect(new Set(consumers.map(({ queue }) => queue))).toEqual(produced);
    expect(consumers.filter(({ max_batch_timeout }) => max_batch_timeout !== 0)).toEqual([]);
    const undead = consumers.filter(({ dead_letter_queue }) => dead_letter_queue !== "errand-dead-letters");
    expect(undead.map(({ queue }) => queue)).toEqual(["errand-dead-letters"]);
    const parking = configs.filter(({ queues }) =>
      (queues?.consumers ?? []).some(({ queue }: { queue: string }) => queue === "errand-dead-letters"),
    );
    expect(parking.map(({ vars }) => vars?.DEAD_LETTER_QUEUE)).toEqual(["errand-dead-letters"]);
  });

  it("name no database by an id: a deployment finds it by its name", () => {
    const databases = configs.flatMap(({ d1_databases }) => d1_databases ?? []);
    expect(databases).toHaveLength(4);
    for (const database of databases) expect(database).not.toHaveProperty("database_id");
  });
});
