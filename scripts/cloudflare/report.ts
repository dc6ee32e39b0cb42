/** What a deploy tells a person: before it, what it would do; after it, what there is, and what they do next. */
import { existsSync } from "node:fs";
import { CHANNELS } from "../../shared/channels/index.ts";
import { PROTOCOLS } from "../../workers/planner/models/index.ts";
import type { Settings } from "../installation/settings.ts";
import type { Deployment } from "./deployment.ts";
import type { Plan } from "./install.ts";
import { listInvitations } from "./webhooks/index.ts";

export const countSteps = ({ ground, runner, hands, callers, detaching, webhooks }: Plan) =>
  ground.length + runner.length + hands.length + callers.length + detaching.length + webhooks.length;

export function describePlan({ target, accountId, record, source }: Deployment, plan: Plan): string {
  const { url, ground, runner, hands, callers, detaching, webhooks, notes } = plan;
  const lines = [...ground, ...runner, ...hands, ...callers, ...detaching, ...webhooks].map(
    ({ what }) => `  ${what}`,
  );
  const free = record.paid ? "" : ", which is on Workers Free";
  const from = existsSync(source.file) ? `with the settings of ${source.file}` : "without a settings' file";
  return [
    `${target.name} at ${url}, on the account ${accountId}${free}, ${from}:`,
    ...(lines.length > 0 ? lines : ["  everything is as it should be"]),
    ...notes.map((note) => `  ⚠ ${note}`),
  ].join("\n");
}

export function describeOutcome(deployment: Deployment, { url }: Plan, keyBefore: string | null): string {
  const { record, settings, folder, target } = deployment;
  const { name } = target;
  const file = `${folder}/${name}.json`;
  const isNew = record.apiKey !== null && record.apiKey !== keyBefore;
  const fromFile = `$(node -p "JSON.parse(fs.readFileSync('${file}')).apiKey")`;
  const known = [
    `API key: ${isNew ? `${record.apiKey}   (also in ${file}; it is not shown again)` : `in ${file}`}`,
    "",
    "Try it:",
    `  curl -s ${url}/v1/tasks -H "Authorization: Bearer ${isNew ? record.apiKey : fromFile}" -d '${JSON.stringify({ prompt: "/run 6 * 7" })}'`,
    "  and read the answer at the `self` link, with the same header (docs/api.md)",
    `  npm run doctor -- --name ${name}      and so status, keys, people, pair, dead-letters`,
  ];
  const unknown = [
    `API key: not known on this machine. Another one: npm run deploy -- --name ${name} --new-key`,
  ];
  const advice = [...listInvitations(deployment), ...listAdvice(settings, record.paid)].map(
    (line) => `• ${line}`,
  );
  return [
    "",
    `Errand is at ${url}`,
    ...(record.apiKey === null ? unknown : known),
    ...(advice.length > 0 ? ["", ...advice] : []),
  ].join("\n");
}

/** What is missing that only a person can give, in lines for people. */
function listAdvice(settings: Settings, paid: boolean): string[] {
  const chats = CHANNELS.filter(({ required }) => required.every((name) => settings[name] !== undefined));
  const hasModel = PROTOCOLS.some((protocol) => protocol.describe(settings) !== null);
  const [either] = PROTOCOLS.flatMap(({ either: names }) => names);
  return [
    ...(hasModel
      ? []
      : [
          `No model is configured, so it understands commands only: ${either} in .prod.vars (docs/models.md).`,
        ]),
    ...(chats.length > 0
      ? []
      : ["No chat channel is configured: it is reached over the API alone (docs/deploy.md)."]),
    ...(paid
      ? []
      : [
          "The account is on Workers Free: code cannot be run (docs/deploy.md says what else differs). With Workers Paid, deploy again.",
        ]),
  ];
}
