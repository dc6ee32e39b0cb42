/** What each Worker weighs as it would be uploaded, and the CPU time of its start. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify, stripVTControlCharacters } from "node:util";

export interface Cold {
  worker: string;
  gzipKib: number;
  startupMs: number;
}

export async function measureCold(worker: string): Promise<Cold> {
  const folder = await mkdtemp(join(tmpdir(), "errand-cold-"));
  try {
    const args = [
      "check",
      "startup",
      `--args=--minify -c wrangler/${worker}.jsonc`,
      "--outfile",
      join(folder, "profile"),
    ];
    const { stdout } = await promisify(execFile)("wrangler", args, {
      env: { ...process.env, WRANGLER_LOG: "log", WRANGLER_SEND_METRICS: "false", CI: "1" },
    });
    const text = stripVTControlCharacters(stdout);
    return {
      worker,
      gzipKib: numberIn(text, /gzip: ([\d.]+) KiB/),
      startupMs: numberIn(text, /Active: ([\d.]+) ms/),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function numberIn(text: string, pattern: RegExp): number {
  const [, number] = pattern.exec(text) ?? [];
  if (number === undefined) throw new Error(`wrangler check startup did not say ${pattern.source}:\n${text}`);
  return Number(number);
}
