/** `npm run dead-letters -- list | show <queue>/<key> | replay <queue>/<key>|all | discard <queue>/<key>|all` */
import { parseArgs } from "node:util";
import { DeadLetterPage, Discarded, Replayed, WholeDeadLetter } from "../shared/contracts/api.ts";
import { command } from "./installation/command.ts";
import { callApi, WHERE_OPTIONS } from "./installation/call-api.ts";

const USAGE = `Usage: npm run dead-letters -- [--state .errand | --name errand] <command>
  list                        what was put aside, and why
  show <queue>/<key>          one of them, with what it said
  replay <queue>/<key> | all  back to work, after the fault was mended
  discard <queue>/<key> | all gone for good
--name speaks to one on Cloudflare that was deployed from here; ERRAND_URL and ERRAND_API_KEY name any other.`;

const at = (path: string) => `/v1/dead-letters/${path}`.replace(/\/$/, "");

await command(USAGE, async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { ...WHERE_OPTIONS },
  });
  const [what = "", which = ""] = positionals;
  const where = values;
  const all = async () =>
    (await callApi(DeadLetterPage, { where, method: "GET", path: at("") })).dead_letters;
  if (what === "list") return list(await all());
  if (what === "show" && which !== "") {
    const letter = await callApi(WholeDeadLetter, { where, method: "GET", path: at(which) });
    return console.log(JSON.stringify(letter, null, 2));
  }
  const act = {
    replay: (letter: string) => callApi(Replayed, { where, method: "POST", path: at(`${letter}/replay`) }),
    discard: (letter: string) => callApi(Discarded, { where, method: "DELETE", path: at(letter) }),
  }[what];
  if (act === undefined || which === "") throw new Error(USAGE);
  if (which !== "all" && !/^[a-z]+\/./.test(which))
    throw new Error(`"${which}" is no <queue>/<key>; list shows them.`);
  const chosen = which === "all" ? (await all()).map(({ queue, key }) => `${queue}/${key}`) : [which];
  let refused = 0;
  for (const letter of chosen) {
    try {
      await act(letter);
      console.log(`${what}ed  ${letter}`.replace("replayed", "replayed "));
    } catch (error) {
      refused++;
      console.error(`refused   ${letter}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  console.log(`${chosen.length - refused} done, ${refused} refused`);
  if (refused > 0) process.exitCode = 1;
});

function list(letters: DeadLetterPage["dead_letters"]): void {
  for (const { queue, key, reason, parked_at } of letters) {
    console.log(`${parked_at}  ${queue}/${key}\n    ${reason.replaceAll("\n", "\n    ")}`);
  }
  console.log(
    letters.length === 0
      ? "No dead letters."
      : `${letters.length} dead letter${letters.length === 1 ? "" : "s"}`,
  );
}
