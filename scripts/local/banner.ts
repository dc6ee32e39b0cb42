/** What the start script says once everything runs. */
import type { Settings } from "./settings.ts";
import type { LocalKey } from "./state.ts";

interface BannerFacts {
  url: string;
  key: LocalKey;
  state: string;
  settings: Settings;
  tools: { explorer?: number; inspector?: number };
}

export function banner({ url, key, state, settings, tools }: BannerFacts): string {
  const body = JSON.stringify({ prompt: "/run 6 * 7" });
  const file = `${state}/local.json`;
  // A terminal's history and its screen are seen by others: after the first time the key stays in its file.
  const shown = key.isNew ? `${key.apiKey}   (also in ${file}; it is not shown again)` : `in ${file}`;
  const fromFile = `$(node -p "JSON.parse(fs.readFileSync('${file}')).apiKey")`;
  return `
Errand runs on this machine:
  queues, D1, Workflows  workerd, with its state in ${state}
  code                   isolates in a second workerd, with a watchdog
  model                  ${model(settings)}
  Telegram               ${telegram(settings)}
  API key                ${shown}

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

function model(settings: Settings): string {
  const { ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: base, ANTHROPIC_MODEL: name } = settings;
  const isGateway = settings.AI_GATEWAY_ACCOUNT_ID !== undefined && settings.AI_GATEWAY_ID !== undefined;
  const named = name === undefined ? "" : `${name} `;
  if (isGateway) return `${named}through AI Gateway "${settings.AI_GATEWAY_ID}"`;
  if (key !== undefined || base !== undefined) return `${named}at ${base ?? "Anthropic"}`;
  return "none: commands work; for the rest set ANTHROPIC_API_KEY or ANTHROPIC_BASE_URL in .dev.vars";
}

function telegram(settings: Settings): string {
  const needed = ["TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"] as const;
  const missing = needed.filter((name) => settings[name] === undefined);
  const isServed = settings.TELEGRAM_WEBHOOK_SECRET !== undefined;
  if (missing.length > 0)
    return `${isServed ? "not complete" : "off"}: set ${missing.join(", ")} in .dev.vars`;
  const named = settings.TELEGRAM_ALLOWED_USERS;
  const who =
    named === "*"
      ? "everybody"
      : `whom \`npm run pair\` lets in${named === undefined ? "" : ` and ${named}`}`;
  const bot = settings.TELEGRAM_BOT_USERNAME ?? "a bot whose name is not known";
  return `on, as ${bot}, for ${who}, at /hooks/telegram`;
}
