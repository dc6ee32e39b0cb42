/** What the start script says once everything runs. */
import type { Settings } from "./settings.ts";

export function banner(facts: { url: string; apiKey: string; state: string; settings: Settings }): string {
  const { url, apiKey, state, settings } = facts;
  const body = JSON.stringify({ prompt: "/run 6 * 7" });
  return `
Errand runs on this machine:
  queues, D1, Workflows  workerd, with its state in ${state}
  code                   isolates in a second workerd, with a watchdog
  model                  ${model(settings)}
  Telegram               ${telegram(settings)}
  watch                  ${url}/cdn-cgi/local/explorer
  API key                ${apiKey}

Try it:
  curl -s ${url}/v1/tasks -H 'Authorization: Bearer ${apiKey}' -d '${body}'
  and read the answer at the \`self\` link, with the same header.
`;
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
