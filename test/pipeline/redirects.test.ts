/** Whoever is asked with a credential and sends elsewhere is not followed: the credential was not meant for the other. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { ModelServer, says } from "../../fakes/model-server.ts";
import { type Pipeline, openPipeline, privateText } from "../support/pipeline.ts";

const asked: string[] = [];
const elsewhere = createServer(({ url = "" }, response) => {
  asked.push(url);
  response.end("{}");
});
const model = new ModelServer();
let pipeline: Pipeline;
let location: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`;
  const vars = { ANTHROPIC_BASE_URL: await model.listen(), ANTHROPIC_API_KEY: "sk-ant-not-for-others" };
  pipeline = await openPipeline({ vars });
});
afterAll(async () => {
  await pipeline.close();
  model.close();
  elsewhere.close();
});
beforeEach(() => {
  pipeline.telegram.reset();
  model.reset();
  asked.length = 0;
});

const redirect = () => ({ status: 307, description: "Temporary Redirect", headers: { location } });

it("a model's server ends the task in words, after one request", async () => {
  model.answerTo = redirect;
  await pipeline.hook(privateText(31, "Hello?"));
  await pipeline.quiet();
  expect(pipeline.telegram.in(31).map(({ text }) => text)).toEqual([
    expect.stringMatching(/redirect to 127\.0\.0\.1.* not followed.*ANTHROPIC_BASE_URL/),
  ]);
  expect(model.requests).toHaveLength(1);
  expect(asked).toEqual([]);
});

it("the Bot API is put aside until somebody mends the variable", async () => {
  pipeline.telegram.faultOf = ({ method }) => (method === "sendMessage" ? redirect() : undefined);
  await pipeline.hook(privateText(32, "/run 1"));
  await pipeline.quiet();
  const parked = await pipeline.sql<{ parked_reason: string }>("SELECT parked_reason FROM outbox");
  expect(parked).toEqual([{ parked_reason: expect.stringContaining("TELEGRAM_API_BASE") }]);
  expect(JSON.stringify(parked)).not.toContain(pipeline.telegram.token);
  expect(asked).toEqual([]);
});

it("the Bot API's files are not fetched, and the words that came with one are answered", async () => {
  model.answerTo = () => says("I read the words.");
  pipeline.telegram.files.set("photo-1", Buffer.from("not fetched"));
  pipeline.telegram.faultOf = ({ method }) => (method === "download" ? redirect() : undefined);
  const update = privateText(33, "");
  const { text: _, ...message } = update.message;
  const photo = [{ file_id: "photo-1", file_unique_id: "u", width: 1, height: 1 }];
  await pipeline.hook({ ...update, message: { ...message, photo, caption: "What is this?" } });
  await pipeline.quiet();
  expect(pipeline.telegram.in(33).map(({ text }) => text)).toEqual(["I read the words."]);
  expect(asked).toEqual([]);
});
