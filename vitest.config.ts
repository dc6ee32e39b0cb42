import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

export default defineConfig(async () => ({
  test: {
    silent: "passed-only" as const,
    // A third of what tests do is waiting: three on two cores.
    maxWorkers: 3,
    globalSetup: "test/support/bundles.ts",
    projects: [
      {
        // Inside workerd, on a real D1: what one Worker or one statement does.
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler/ingress.jsonc" },
            miniflare: {
              compatibilityFlags: ["nodejs_compat"],
              bindings: { MIGRATIONS: await readD1Migrations("shared/store/migrations") },
            },
          }),
        ],
        // A Worker for each file would cost a third of a minute.
        test: {
          name: "workerd",
          include: ["test/unit/**/*.test.ts"],
          isolate: false,
          setupFiles: ["test/unit/fresh.ts"],
        },
      },
      {
        // From outside, over all Workers: what a person or a program sees.
        test: {
          name: "node",
          include: [
            "test/*.test.ts",
            "test/sandbox/**/*.test.ts",
            "test/pipeline/**/*.test.ts",
            "test/deploy/**/*.test.ts",
            "test/doctor/**/*.test.ts",
          ],
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      {
        // Stories under faults; `npm run test:fault` tells all of them.
        test: {
          name: "fault",
          include: ["test/fault/**/*.test.ts"],
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      {
        // The start script and its process tree. One at a time where it measures how long people wait.
        test: {
          name: "restart",
          include: ["test/restart/**/*.test.ts"],
          testTimeout: process.env["FAULT_SUITE"] === "long" ? 3_600_000 : 300_000,
          hookTimeout: 240_000,
          fileParallelism: process.env["FAULT_SUITE"] !== "long",
        },
      },
    ],
  },
}));
