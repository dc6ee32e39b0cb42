/** What the start script says once everything runs. */
import type { AnyChannel } from "../../shared/channels/channel.ts";
import { CHANNELS } from "../../shared/channels/index.ts";
import { PROTOCOLS } from "../../workers/planner/models/index.ts";
import type { Settings } from "../installation/settings.ts";
import type { LocalKey } from "./state.ts";

interface BannerFacts {
  url: string;
  key: LocalKey;
  state: string;
  settings: Settings;
  scripts: string;
  tools: { explorer?: number; inspector?: number };
}

export function banner({ url, key, state, settings, scripts, tools }: BannerFacts): string {
  const body = JSON.stringify({ prompt: "/run 6 * 7" });
  const file = `${state}/local.json`;
  // A terminal's history and its screen are seen by others: after the first time the key stays in its file.
  const shown = key.isNew ? `${key.apiKey}   (also in ${file}; it is not shown again)` : `in ${file}`;
  const fromFile = `$(node -p "JSON.parse(fs.readFileSync('${file}')).apiKey")`;
  return `
Errand runs on this machine:
  queues, D1, Workflows  workerd, with its state in ${state}
  code                   isolates in a second workerd, with a watchdog
  scripts                ${scripts}
  model                  ${describeModel(settings)}
${CHANNELS.map((channel) => `  ${channel.title.padEnd(23)}${describeChannel(channel, settings)}\n`).join("")}  API key                ${shown}

Try it:
  curl -s ${url}/v1/tasks -H "Authorization: Bearer ${key.isNew ? key.apiKey : fromFile}" -d '${body}'
  and read the answer at the \`self\` link, with the same header.
${toolsWarning(tools)}`;
}

function toolsWarning({ explorer, inspector }: BannerFacts["tools"]): string {
  if (explorer === undefined && inspector === undefined) return "";
  return `
⚠ Who reaches these reads and changes everything, without a key. Let no tunnel lead here.
${explorer === undefined ? "" : `  explorer               http://127.0.0.1:${explorer}/cdn-cgi/local/explorer\n`}${
    inspector === undefined ? "" : `  inspector              127.0.0.1:${inspector}, for chrome://inspect\n`
  }`;
}

function describeModel(settings: Settings): string {
  for (const protocol of PROTOCOLS) {
    const described = protocol.describe(settings);
    if (described !== null) return described;
  }
  const names = PROTOCOLS.flatMap(({ either }) => either);
  return `none: commands work; for the rest set ${names.join(" or ")} in .dev.vars`;
}

function describeChannel({ name, required, allowList, bot }: AnyChannel, settings: Settings): string {
  const missing = required.filter((variable) => settings[variable] === undefined);
  if (missing.length > 0) {
    const isBegun = missing.length < required.length;
    return `${isBegun ? "not complete" : "off"}: set ${missing.join(", ")} in .dev.vars`;
  }
  const named = settings[allowList];
  const who =
    named === "*"
      ? "everybody"
      : `whom \`npm run pair\` lets in${named === undefined ? "" : ` and ${named}`}`;
  const as = bot === undefined ? "" : `, as ${settings[bot.username] ?? "a bot whose name is not known"}`;
  return `on${as}, for ${who}, at /hooks/${name}`;
}
