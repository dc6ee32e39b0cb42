/** Whether the model answers: one cheap request, by the way that every turn goes. */
import { GATEWAY_TOGETHER } from "../../workers/planner/models/gateway.ts";
import { openModel, PROTOCOLS } from "../../workers/planner/models/index.ts";
import type { Settings } from "../installation/settings.ts";
import { examine, fault, type Finding, ok, warn } from "./finding.ts";

const ANSWERS_MS_MAX = 30_000;
const CHECK = "model";

export async function examineModel(settings: Settings, renew: string): Promise<readonly Finding[]> {
  const described = PROTOCOLS.flatMap((protocol) => protocol.describe(settings) ?? [])[0];
  const [either] = PROTOCOLS.flatMap(({ either: names }) => names);
  if (described === undefined)
    return [
      warn(
        CHECK,
        "none is configured: only commands are understood",
        `set ${either} (docs/models.md), and ${renew}`,
      ),
    ];
  return examine(CHECK, "docs/models.md", async () => {
    const client = await openModel(settings);
    if (client === null) return [fault(CHECK, "none can be opened with these settings", "docs/models.md")];
    const answer = await client.complete({
      taskId: "doctor",
      conversationId: "doctor",
      tenantId: "default",
      system: "Answer with one word.",
      tools: [],
      messages: [{ role: "user", parts: [{ type: "text", text: "Are you there?" }] }],
      answerTokensMax: 16,
      signal: AbortSignal.timeout(ANSWERS_MS_MAX),
      onText: () => Promise.resolve(),
      onAccepted: () => undefined,
      onWritten: () => undefined,
      onUsage: () => undefined,
    });
    if (answer.kind === "answer")
      return [
        ok(CHECK, `${answer.model} answers (${described})`),
        ...noteBilling(settings),
        ...(answer.usage.costUsd === null ? [NO_PRICE] : []),
      ];
    const mend =
      answer.kind === "transient" ? "try again in a moment; else docs/models.md" : "docs/models.md";
    return [fault(CHECK, `${described}: ${answer.reason}`, mend)];
  });
}

const NO_PRICE = warn(
  "model: price",
  "its price is not known, so spending is capped in tokens alone",
  "tell its price: docs/models.md",
);

/** A gateway without a key of ours takes the one that is stored there, and without that one bills by itself, in silence. */
function noteBilling(settings: Settings): readonly Finding[] {
  const isGateway = GATEWAY_TOGETHER.flat().every((name) => settings[name] !== undefined);
  const hasKey = PROTOCOLS.some(({ variables }) =>
    variables.some(({ name, secret }) => secret && settings[name] !== undefined),
  );
  if (!isGateway || hasKey) return [];
  const words =
    "the gateway uses the key that is stored there; while there is none, Cloudflare bills the tokens (unified billing)";
  return [
    warn(
      "model: key",
      words,
      "store a key at the gateway, and turn on byok_only there, if that is not what you want",
    ),
  ];
}
