/** Who may import whom, and that the rooms of the house are where the design says. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { MUTATIONS } from "./mutations/table.ts";

const WORKERS = ["executor", "ingress", "notifier", "planner", "runner"];
const FILE_LINES_MAX = 300;

const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name));

/** Every import of a file: packages as they are named, our files by their path from the root. */
function importsOf(file: string): string[] {
  const names = [...readFileSync(file, "utf8").matchAll(/(?:from|import) "([^"]+)"/g)].map(
    ([, name = ""]) => name,
  );
  return names.map((name) => (name.startsWith(".") ? relative(".", join(dirname(file), name)) : name));
}

const edges = (folder: string) =>
  filesIn(folder).flatMap((file) => importsOf(file).map((to) => ({ file, to })));

describe("imports", () => {
  it.each(WORKERS)("of %s lead to itself, to shared, and to packages", (worker) => {
    const own = `workers/${worker}/`;
    const wrong = edges(own).filter(
      ({ to }) => !to.startsWith(own) && (to.startsWith("workers/") || /^(scripts|test)\//.test(to)),
    );
    expect(wrong).toEqual([]);
  });

  it("of shared lead to shared and to zod", () => {
    expect(edges("shared").filter(({ to }) => !to.startsWith("shared/") && to !== "zod/mini")).toEqual([]);
  });

  it("of the contracts lead to contracts, their limits and zod", () => {
    const allowed = (to: string) =>
      to.startsWith("shared/contracts/") || ["shared/limits.ts", "zod/mini"].includes(to);
    expect(edges("shared/contracts").filter(({ to }) => !allowed(to))).toEqual([]);
  });

  it("of ingress never include what sends, plans or runs", () => {
    const senders = ["grammy", "marked", "sucrase", "@anthropic-ai/sdk"];
    expect(edges("workers/ingress").filter(({ to }) => senders.includes(to))).toEqual([]);
  });

  it("of the stand-ins lead nowhere: they know the platforms, and nothing of us", () => {
    expect(edges("stand-ins").filter(({ to }) => !/^(node:|stand-ins\/)/.test(to))).toEqual([]);
  });

  it("reach D1 only from shared/store", () => {
    const files = [...filesIn("workers"), ...filesIn("shared")].filter(
      (file) => !file.startsWith("shared/store/"),
    );
    const sql = files.filter((file) =>
      /\b(SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM)\b/.test(readFileSync(file, "utf8")),
    );
    expect(sql).toEqual([]);
  });

  it("have step.do in one file only", () => {
    const files = filesIn("workers").filter((file) => readFileSync(file, "utf8").includes("step.do("));
    expect(files).toEqual(["workers/executor/task-workflow.ts"]);
  });
});

// Not where one of them is carried out: it would be caught by this, and by nothing else.
describe.skipIf(process.env["MUTATED"] === "true")("the mutations", () => {
  it.each(MUTATIONS)("know where they are: $name", ({ file, find }) => {
    expect(readFileSync(file, "utf8").split(find)).toHaveLength(2);
  });
});

describe("the house", () => {
  it("has one configuration for each Worker", () => {
    const configs = readdirSync("wrangler")
      .filter((name) => name.endsWith(".jsonc"))
      .map((name) => name.replace(".jsonc", ""));
    expect(configs.toSorted()).toEqual(readdirSync("workers").toSorted());
    expect(configs.toSorted()).toEqual(WORKERS);
  });

  it("has no file beyond 300 lines, no barrel and no heap", () => {
    const files = [
      ...filesIn("workers"),
      ...filesIn("shared"),
      ...["bench", "scripts", "stand-ins", "test"].flatMap(filesIn),
    ];
    expect(files.filter((file) => readFileSync(file, "utf8").split("\n").length > FILE_LINES_MAX)).toEqual(
      [],
    );
    expect(files.filter((file) => /(^|\/)(utils?|helpers?|misc)(\.ts|\/)/.test(file))).toEqual([]);
    expect(files.filter((file) => /^export \* from/m.test(readFileSync(file, "utf8")))).toEqual([]);
  });
});
