/** Who may import whom, and that the rooms of the pipeline are where the design says. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { CHANNELS } from "../shared/channels/index.ts";
import { TOOLS } from "../shared/contracts/tools/index.ts";
import { PROTOCOLS } from "../workers/planner/models/index.ts";
import { MUTATIONS } from "./mutations/table.ts";

const WORKERS = ["executor", "hands", "ingress", "notifier", "planner", "runner"];
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

/** Paths that come back to one of their files. */
function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const follow = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file)) return [[...path.slice(path.indexOf(file)), file].join(" → ")];
    if (done.has(file)) return [];
    const found = (graph.get(file) ?? []).flatMap((to) => follow(to, [...path, file]));
    done.add(file);
    return found;
  };
  return [...graph.keys()].flatMap((file) => follow(file, []));
}

/** The text without its comments, which may name what they like. */
const codeOf = (file: string) =>
  readFileSync(file, "utf8").replaceAll(/\/\*[^]*?\*\/|(?<=^|\s)\/\/.*$/gm, "");

describe("imports", () => {
  it.each(WORKERS)("of %s lead to itself, to shared, and to packages", (worker) => {
    const own = `workers/${worker}/`;
    const wrong = edges(own).filter(
      ({ to }) => !to.startsWith(own) && (to.startsWith("workers/") || /^(scripts|test)\//.test(to)),
    );
    expect(wrong).toEqual([]);
  });

  it("of shared lead to shared and to zod, of its store to SQL, and of its policy to addresses", () => {
    const isAllowed = ({ file, to }: { file: string; to: string }) =>
      to.startsWith("shared/") ||
      to === "zod/mini" ||
      (to === "sql-template-tag" && file.startsWith("shared/store/")) ||
      (to === "ipaddr.js" && file.startsWith("shared/policy/"));
    expect(edges("shared").filter((edge) => !isAllowed(edge))).toEqual([]);
  });

  it("of the contracts and the descriptions of channels lead to each other, and to what is pure", () => {
    const pure = ["commands", "limits", "one-of", "text", "variables"].map((name) => `shared/${name}.ts`);
    const allowed = (to: string) =>
      /^shared\/(contracts|channels|policy)\//.test(to) || to === "zod/mini" || pure.includes(to);
    const all = ["shared/contracts", "shared/channels"].flatMap(edges);
    expect(all.filter(({ to }) => !allowed(to))).toEqual([]);
  });

  it("never come back to where they began, types included", () => {
    const graph = new Map<string, string[]>();
    for (const { file, to } of ["workers", "shared", "scripts"].flatMap(edges))
      graph.set(file, [...(graph.get(file) ?? []), to]);
    expect(circlesOf(graph)).toEqual([]);
  });

  it("of ingress never include what sends, plans or runs", () => {
    const senders = ["grammy", "marked", "sucrase", "@anthropic-ai/sdk"];
    expect(edges("workers/ingress").filter(({ to }) => senders.includes(to))).toEqual([]);
  });

  it("of the fakes lead nowhere: they know the platforms, and nothing of us", () => {
    expect(edges("fakes").filter(({ to }) => !/^(node:|fakes\/)/.test(to))).toEqual([]);
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

/** How a name may stand in code: `run_code`, `run-code`, `runCode`; that of a channel or a protocol also as `Telegram…` and `TELEGRAM_…`. */
function spellings(name: string): RegExp {
  const camel = name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  const capital = `${camel.charAt(0).toUpperCase()}${camel.slice(1)}`;
  const whole = [name, name.replaceAll("_", "-"), camel].map((spelled) => `(?<![\\w-])${spelled}(?![\\w-])`);
  return new RegExp([...whole, `\\b${capital}(?=[A-Z])`, `\\b${name.toUpperCase()}_`].join("|"));
}

/** A tool whose name is a word that everybody needs. */
const COMMON = "files";

describe("a name", () => {
  // Stand-ins may name whatever they stand for.
  const files = ["workers", "shared", "scripts"]
    .flatMap(filesIn)
    .filter((file) => !file.startsWith("scripts/demo/"));
  const names = [...CHANNELS, ...TOOLS, ...PROTOCOLS]
    .map(({ name }) => name)
    .filter((name) => name !== COMMON);
  const indexes = ["shared/channels", "shared/contracts/tools", "workers/ingress/channels"];
  indexes.push(
    "workers/notifier/channels",
    "workers/executor/tools",
    "workers/planner/models",
    "scripts/installation/find",
    "scripts/cloudflare/webhooks",
    "scripts/doctor/channels",
  );

  it.each(names)("%s stands in its own files and in an index only", (name) => {
    const folders = new Set([name, name.replaceAll("_", "-")]);
    const isOwn = (file: string) =>
      file
        .replace(/\.ts$/, "")
        .split("/")
        .some((part) => folders.has(part));
    const isIndex = (file: string) => indexes.some((folder) => file === `${folder}/index.ts`);
    const strangers = files.filter(
      (file) => !isOwn(file) && !isIndex(file) && spellings(name).test(codeOf(file)),
    );
    expect(strangers).toEqual([]);
  });
});

// Not where one of them is carried out: it would be caught by this, and by nothing else.
describe.skipIf(process.env["MUTATED"] === "true")("the mutations", () => {
  it.each(MUTATIONS)("know where they are: $name", ({ file, find }) => {
    expect(readFileSync(file, "utf8").split(find)).toHaveLength(2);
  });
});

describe("the pipeline", () => {
  it("has one configuration for each Worker", () => {
    const configs = readdirSync("wrangler")
      .filter((name) => name.endsWith(".jsonc"))
      .map((name) => name.replace(".jsonc", ""));
    const rooms = readdirSync("workers", { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(configs.toSorted()).toEqual(rooms.map(({ name }) => name).toSorted());
    expect(configs.toSorted()).toEqual(WORKERS);
  });

  it("has no file beyond 300 lines, no barrel and no heap", () => {
    const files = [
      ...filesIn("workers"),
      ...filesIn("shared"),
      ...["bench", "scripts", "fakes", "test"].flatMap(filesIn),
    ];
    expect(files.filter((file) => readFileSync(file, "utf8").split("\n").length > FILE_LINES_MAX)).toEqual(
      [],
    );
    expect(files.filter((file) => /(^|\/)(utils?|helpers?|misc)(\.ts|\/)/.test(file))).toEqual([]);
    expect(files.filter((file) => /^export \* from/m.test(readFileSync(file, "utf8")))).toEqual([]);
  });
});
