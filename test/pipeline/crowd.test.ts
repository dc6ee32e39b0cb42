/** Two hundred people at once, half of them with a model that thinks for a second, half with code: each gets one answer, and it is theirs. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { ModelServer, says } from "../../fakes/model-server.ts";
import { type Pipeline, openPipeline, privateText } from "../support/pipeline.ts";

const PEOPLE = 200;
const THINKS_MS = 1_000;
const PATIENT_MS = 600_000;
const model = new ModelServer();
let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await openPipeline({
    vars: { ANTHROPIC_BASE_URL: await model.listen() },
    // However slow the machine is: no placeholder, no second message that makes the phone buzz, no call that is given up.
    timings: {
      placeholder_after_ms: PATIENT_MS,
      ping_after_ms: PATIENT_MS,
      platform_call_ms: PATIENT_MS / 10,
      lease_ms: PATIENT_MS,
    },
  });
  model.thinksMs = THINKS_MS;
  model.answerTo = ({ body }) => says(`You are ${body.messages.at(-1)?.content.at(-1)?.text}.`);
});
afterAll(async () => {
  await pipeline.close();
  model.close();
});

it("loses nobody and doubles nothing", async () => {
  const people = Array.from({ length: PEOPLE }, (_, index) => 1_000 + index);
  const asks = (person: number) => person % 2 === 0;
  const taken = await Promise.all(
    people.map((person) =>
      pipeline.hook(privateText(person, asks(person) ? `number ${person}` : `/run 'code of ' + ${person}`)),
    ),
  );
  expect(taken.map(({ status }) => status)).toEqual(people.map(() => 200));
  await pipeline.quiet();
  const answers = people.map((person) => pipeline.telegram.in(person).map(({ text }) => text));
  expect(answers).toEqual(
    people.map((person) => [asks(person) ? `You are number ${person}.` : `code of ${person}`]),
  );
  expect(model.requests).toHaveLength(people.filter(asks).length);
});
