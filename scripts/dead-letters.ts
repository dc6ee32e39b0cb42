/** `npm run dead-letters -- list | show <queue>/<key> | replay <queue>/<key>|all | discard <queue>/<key>|all` */
import { parseArgs } from "node:util";
import { command } from "./local/command.ts";
import { callApi } from "./local/installation.ts";

const USAGE = `Usage: npm run dead-letters -- [--state .errand] <command>
  list                        what was put aside, and why
  show <queue>/<key>          one of them, with what it said
  replay <queue>/<key> | all  back to work, after the fault was mended
  discard <queue>/<key> | all gone for good
ERRAND_URL and ERRAND_API_KEY name another installation than this machine's.`;

interface DeadLetter {
  queue: string;
  key: string;
  reason: string;
  parked_at: string;
}

await command(USAGE, async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { state: { type: "string", default: ".errand" } },
  });
  const [what = "", which = ""] = positionals;
  const call = (method: string, path: string) =>
    callApi(values.state, method, `/v1/dead-letters/${path}`.replace(/\/$/, ""));
  const all = async (): Promise<DeadLetter[]> => (await call("GET", "")).dead_letters;
  if (what === "list") return list(await all());
  if (what === "show" && which !== "") return console.log(JSON.stringify(await call("GET", which), null, 2));
  const method = { replay: "POST", discard: "DELETE" }[what];
  if (method === undefined || which === "") throw new Error(USAGE);
  if (which !== "all" && !/^[a-z]+\/./.test(which))
    throw new Error(`"${which}" is no <queue>/<key>; list shows them.`);
  const chosen = which === "all" ? (await all()).map(({ queue, key }) => `${queue}/${key}`) : [which];
  let refused = 0;
  for (const letter of chosen) {
    try {
      await call(method, what === "replay" ? `${letter}/replay` : letter);
      console.log(`${what}ed  ${letter}`.replace("replayed", "replayed "));
    } catch (error) {
      refused++;
      console.error(`refused   ${letter}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  console.log(`${chosen.length - refused} done, ${refused} refused`);
  if (refused > 0) process.exitCode = 1;
});

function list(letters: readonly DeadLetter[]): void {
  for (const { queue, key, reason, parked_at } of letters) {
    console.log(`${parked_at}  ${queue}/${key}\n    ${reason.replaceAll("\n", "\n    ")}`);
  }
  console.log(
    letters.length === 0
      ? "No dead letters."
      : `${letters.length} dead letter${letters.length === 1 ? "" : "s"}`,
  );
}
