/** What a command about an installation on Cloudflare needs of the world around it. */
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { DEPLOY_FOLDER } from "../installation/call-api.ts";
import { askHealth } from "../installation/health.ts";
import { readSources, type Sources } from "./generated.ts";
import { makeWrangler } from "./wrangler.ts";

export interface World {
  /** Where this machine remembers installations. */
  readonly folder: string;
  readonly say: (words: string) => void;
  /** Null: nobody is there to be asked. */
  readonly ask: ((question: string, options?: { hidden: boolean }) => Promise<string>) | null;
  readonly makeWrangler: typeof makeWrangler;
  readonly readSources: () => Promise<Sources>;
  readonly askHealth: typeof askHealth;
}

/** This process, its terminal if it has one, and this project's wrangler. */
export function thisWorld(): World {
  // What is written is the owner's alone.
  process.umask(0o077);
  process.on("SIGINT", () => {
    console.error("\nStopped. What was done is done: run it again, and it goes on.");
    process.exit(130);
  });
  return {
    folder: DEPLOY_FOLDER,
    say: (words) => console.log(words),
    ask: process.stdin.isTTY && process.stdout.isTTY ? askOnTerminal : null,
    makeWrangler,
    readSources,
    askHealth,
  };
}

/** Throws where nobody can be asked. */
export async function isAgreed({ ask }: World): Promise<boolean> {
  if (ask === null) throw new Error("Nothing was done: nobody is here to say yes. Add --yes.");
  return !/^n/i.test(await ask("Go on? [Y/n] "));
}

async function askOnTerminal(question: string, { hidden } = { hidden: false }): Promise<string> {
  let muted = false;
  // readline echoes what is typed: of a secret it has nowhere to.
  const output = new Writable({
    write(chunk, _encoding, done) {
      if (!muted) process.stdout.write(chunk);
      done();
    },
  });
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  try {
    const answer = lines.question(question);
    muted = hidden;
    return (await answer).trim();
  } finally {
    lines.close();
    if (hidden) process.stdout.write("\n");
  }
}
