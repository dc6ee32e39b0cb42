/** `npm run doctor`: what is wrong with an installation, and what mends it. */
import { parseArgs } from "node:util";
import { checkName } from "./cloudflare/target.ts";
import { thisWorld } from "./cloudflare/world.ts";
import { examineDeployed } from "./doctor/deployed.ts";
import type { Finding } from "./doctor/finding.ts";
import { examineLocal } from "./doctor/local.ts";
import { command } from "./installation/command.ts";

const USAGE = `Usage: npm run doctor -- [--local | --name errand] [--json]
  looks at everything that an installation needs, and says what mends what is wrong: of this machine, or of one on Cloudflare
  --state   the folder of the one on this machine
  --vars    the settings' file of the one on Cloudflare
  --json    for programs; the exit code is 1 when something is wrong
It does one small task, and asks the model one small question.`;

const SIGNS = { ok: "✓", warn: "!", fault: "✗" } as const;

await command(USAGE, async () => {
  const { values } = parseArgs({
    options: {
      local: { type: "boolean", default: false },
      name: { type: "string" },
      state: { type: "string", default: ".errand" },
      vars: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  const { name, local, json } = values;
  if (name !== undefined && local) throw new Error("--local and --name are two installations: choose one.");
  const findings =
    name === undefined
      ? await examineLocal(values.state, ".dev.vars")
      : await examineDeployed({ name: checkName(name), vars: values.vars }, thisWorld());
  console.log(json ? JSON.stringify(findings, null, 2) : describe(findings));
  if (findings.some(({ state }) => state === "fault")) process.exitCode = 1;
});

function describe(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.map(({ check, state, words, mend }) => {
    const line = `${SIGNS[state]} ${check.padEnd(width)}  ${words}`;
    return mend === null ? line : `${line}\n  ${" ".repeat(width)}  → ${mend}`;
  });
  const faults = findings.filter(({ state }) => state === "fault").length;
  return [...lines, "", faults === 0 ? "Nothing is wrong." : `${faults} to be mended.`].join("\n");
}
