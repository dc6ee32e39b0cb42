/** Workers as single modules: made by esbuild, and kept by the hashes of all that they are made of, so that nobody waits twice. */
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type * as Esbuild from "esbuild";

const KEPT = "node_modules/.cache/errand";
/** What npm has installed, with versions and hashes: it stands for every file below node_modules. */
const INSTALLED = "node_modules/.package-lock.json";
const SELF = fileURLToPath(import.meta.url);

/** What runs inside the runner's isolates is loaded as text: each is a bundle of its own, written beside its source. */
const INSIDE = ["bash", "harness", "strip-types"].map((name) => `workers/runner/inside/${name}`);

interface Bundle {
  text: string;
  /** SHA-256 by path. */
  inputs: Record<string, string>;
}

/** The bundles of these entry files, in their order. */
export async function bundleAll(mains: readonly string[], { minify = false } = {}): Promise<string[]> {
  await bundleInside();
  const bundles = await Promise.all(mains.map((main) => bundle(main, minify)));
  await stopEsbuild();
  return bundles;
}

/** Writes the texts that `workers/runner` imports. */
export async function bundleInside(): Promise<void> {
  await Promise.all(
    INSIDE.map(async (path) => {
      const text = await bundle(`${path}.ts`, true);
      const known = await readFile(`${path}.txt`, "utf8").catch(() => null);
      if (text !== known) await writeWhole(`${path}.txt`, text);
    }),
  );
}

async function bundle(main: string, minify: boolean): Promise<string> {
  const file = join(KEPT, `${sha256(`${minify} ${resolve(main)}`).slice(0, 32)}.json`);
  const kept = await readKept(file);
  if (kept !== null) return kept.text;
  const made = await make(main, minify);
  // Where it cannot be kept it is made again the next time.
  await mkdir(KEPT, { recursive: true })
    .then(() => writeWhole(file, JSON.stringify(made)))
    .catch(() => undefined);
  return made.text;
}

/** Null unless everything that it was made of is still the same. */
async function readKept(file: string): Promise<Bundle | null> {
  try {
    const kept: Bundle = JSON.parse(await readFile(file, "utf8"));
    const now = await hashFiles(Object.keys(kept.inputs));
    return Object.entries(kept.inputs).every(([path, hash]) => now[path] === hash) ? kept : null;
  } catch {
    return null;
  }
}

let esbuild: Promise<typeof Esbuild> | null = null;

/** Its process would stay for as long as ours, and take as much memory as a Worker. */
async function stopEsbuild(): Promise<void> {
  const loaded = esbuild;
  esbuild = null;
  await (await loaded)?.stop();
}

async function make(main: string, minify: boolean): Promise<Bundle> {
  esbuild ??= import("esbuild");
  const { build } = await esbuild;
  const { outputFiles, metafile } = await build({
    entryPoints: [resolve(main)],
    bundle: true,
    minify,
    format: "esm",
    target: "es2024",
    // As wrangler bundles for Workers: https://developers.cloudflare.com/workers/wrangler/bundling/
    platform: "browser",
    conditions: ["workerd", "worker", "browser"],
    // The last are laid beside the harness when it is loaded: the code that somebody wants to run, and the scripts' shell, if it may.
    external: ["cloudflare:*", "node:*", "./code.js", "./bash.js"],
    loader: { ".txt": "text", ".sh": "text" },
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  const sources = Object.keys(metafile.inputs).filter((path) => !path.includes("node_modules/"));
  const inputs = await hashFiles([SELF, INSTALLED, ...sources.map((path) => resolve(path))]);
  return { text: outputFiles.map(({ text }) => text).join(""), inputs };
}

async function hashFiles(paths: readonly string[]): Promise<Record<string, string>> {
  const hashes = paths.map(async (path) => [path, sha256(await readFile(path))] as const);
  return Object.fromEntries(await Promise.all(hashes));
}

function sha256(content: string | Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Others may read it meanwhile: they see the old or the new one, never a part. */
async function writeWhole(file: string, text: string): Promise<void> {
  const unfinished = `${file}.${process.pid}`;
  await writeFile(unfinished, text);
  await rename(unfinished, file);
}
