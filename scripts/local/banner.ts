/** What the start script says once everything runs. */
import type { Settings } from "./settings.ts";

export function banner(facts: { url: string; apiKey: string; state: string; settings: Settings }): string {
  const { url, apiKey, state, settings } = facts;
  const body = JSON.stringify({ prompt: "/run 6 * 7" });
  return `
Errand runs on this machine:
  queues, D1, Workflows  workerd, with its state in ${state}
  code                   isolates in a second workerd, with a watchdog
  model                  none in this version: commands work, free text is answered with what is missing
  Telegram               ${telegram(settings)}
  watch                  ${url}/cdn-cgi/local/explorer
  API key                ${apiKey}

Try it:
  curl -s ${url}/v1/tasks -H 'Authorization: Bearer ${apiKey}' -d '${body}'
  and read the answer at the \`self\` link, with the same header.
`;
}

function telegram(settings: Settings): string {
  const needed = ["TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET", "TELEGRAM_ALLOWED_USERS"] as const;
  const missing = needed.filter((name) => settings[name] === undefined);
  const isServed = settings.TELEGRAM_WEBHOOK_SECRET !== undefined;
  if (missing.length > 0)
    return `${isServed ? "not complete" : "off"}: set ${missing.join(", ")} in .dev.vars`;
  const users =
    settings.TELEGRAM_ALLOWED_USERS === "*" ? "everybody" : `users ${settings.TELEGRAM_ALLOWED_USERS}`;
  return `on, for ${users}, at /hooks/telegram`;
}
