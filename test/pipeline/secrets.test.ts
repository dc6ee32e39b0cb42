/** Secrets are planted in every variable, and then looked for wherever people and programs can look. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { calls, ModelServer, says } from "../../fakes/model-server.ts";
import { API_KEY, type Pipeline, openPipeline, privateText, WEBHOOK_SECRET } from "../support/pipeline.ts";

const PLANTED = {
  ANTHROPIC_API_KEY: "planted-model-key-0123456789",
  AI_GATEWAY_TOKEN: "planted-gateway-token-0123456789",
  ERRAND_LINK_SECRET: "planted-link-secret-0123456789",
};
const model = new ModelServer();
let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await openPipeline({
    vars: { ...PLANTED, ANTHROPIC_BASE_URL: await model.listen() },
    timings: { backoff_ms_max: 100, model_silence_ms: 500 },
  });
});
afterAll(async () => {
  await pipeline.close();
  model.close();
});

const LOOK_AROUND = `
  const seen = [Object.keys(globalThis), typeof process, typeof navigator, Object.keys((await import("cloudflare:workers").catch(() => ({ env: {} }))).env)];
  try { seen.push(await (await fetch("http://127.0.0.1/")).text()); } catch (error) { seen.push(String(error)); }
  save("seen.json", JSON.stringify(seen));
  return JSON.stringify(seen);
`;

/** What goes wrong with a secret in it: a server that repeats it, a URL that holds it, code that looks for it. */
async function stir(): Promise<void> {
  const tell = async (chat: number, message: object) => {
    const update = privateText(chat, "");
    await pipeline.hook({ ...update, message: { ...update.message, ...message } });
    await pipeline.quiet();
  };
  await tell(1, { text: `/run ${LOOK_AROUND}` });
  // At the end of what is shown of it, where it would be cut in half.
  const known = `${PLANTED.ANTHROPIC_API_KEY} ${PLANTED.AI_GATEWAY_TOKEN}`;
  for (const status of [400, 401, 429, 500]) {
    model.answerTo = ({ headers }) =>
      model.requests.length % 2 === 1
        ? {
            status,
            body: {
              type: "error",
              error: { type: "x", message: `${"x".repeat(275)} ${known} ${JSON.stringify(headers)}` },
            },
          }
        : says("Fine.");
    await tell(status, { text: "Hello?" });
  }
  model.answerTo = () => says("I see.");
  await tell(2, { photo: [{ file_id: "missing" }], caption: "Look!" });
  const { telegram } = pipeline;
  telegram.files.set("cut", Buffer.from("x"));
  telegram.faultOf = ({ method }) => (method === "getFile" ? "cut after" : undefined);
  await tell(3, { photo: [{ file_id: "cut" }], caption: "Look!" });
  let cuts = 0;
  telegram.faultOf = ({ method }) => (method === "sendMessage" && cuts++ === 0 ? "cut after" : undefined);
  await tell(4, { text: "/run 1" });
  telegram.faultOf = () => ({ status: 403, description: `Forbidden: bot was blocked (${telegram.token})` });
  await tell(5, { text: "/run 1" });
  telegram.faultOf = () => undefined;
  model.answerTo = () =>
    model.requests.length % 2 === 1 ? calls("run_code", { code: LOOK_AROUND }) : says("Done.");
  await tell(6, { text: "What do you see?" });
  await pipeline.hook(privateText(7, "forged"), `${WEBHOOK_SECRET}x`);
}

it("nothing that is planted is found in logs, D1, R2, replies or what the sandbox sees", async () => {
  await stir();
  const tables = await pipeline.sql<{ name: string }>(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%\\_cf\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite%'",
  );
  const database: Record<string, unknown> = {};
  for (const { name } of tables) database[name] = await pipeline.sql(`SELECT * FROM "${name}"`);
  const places = {
    logs: JSON.stringify(pipeline.logs),
    database: JSON.stringify(database),
    files: (await pipeline.objects()).join("\n"),
    replies: JSON.stringify(pipeline.telegram.messages),
    prompts: JSON.stringify(model.requests.map(({ body }) => body)),
  };
  // Whoever looks in the wrong place finds nothing either.
  expect(places.logs).toContain('\\"effect\\":\\"answered\\"');
  expect(places.database).toContain("seen.json");
  expect(places.files).toContain("globalThis".slice(0, 6));
  expect(places.replies).toContain("Fine.");
  const planted = [...Object.values(PLANTED), API_KEY, WEBHOOK_SECRET, pipeline.telegram.token];
  const found = Object.entries(places).flatMap(([place, text]) =>
    // Half of a secret is one, too.
    planted
      .filter((secret) => text.includes(secret.slice(0, Math.ceil(secret.length / 2))))
      .map((secret) => `${secret} in ${place}`),
  );
  expect(found).toEqual([]);
});
