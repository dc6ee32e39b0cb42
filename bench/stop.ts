/** How long a stop takes under load: from the request to the silence of the model that was being asked. */
import { setTimeout as sleep } from "node:timers/promises";
import { ModelServer } from "../fakes/model-server.ts";
import { openPipeline, privateText } from "../test/support/pipeline.ts";
import { until } from "../test/support/until.ts";
import { type Spread, spreadOf } from "./stats.ts";

const BUSY = 20;
const PIECE_MS = 10;
const WAIT_MS_MAX = 60_000;

export interface Stop {
  busy: number;
  /** Milliseconds from the request of `/stop` until the model is hung up on. */
  silent: Spread;
  /** Until the person reads that it was stopped. */
  told: Spread;
}

export async function measureStop(): Promise<Stop> {
  const model = new ModelServer();
  const content = [{ type: "text", text: "word ".repeat(20_000) }];
  model.answerTo = () => ({ content, pieceMs: PIECE_MS });
  const hungUp = new Map<string, number>();
  model.onHangUp = ({ body }) => {
    const words = body.messages.at(-1)?.content.at(-1)?.text ?? "";
    hungUp.set(words, performance.now());
  };
  const pipeline = await openPipeline({ vars: { ANTHROPIC_BASE_URL: await model.listen() } });
  const people = Array.from({ length: BUSY }, (_, index) => 30_000 + index);
  const silent: number[] = [];
  const told: number[] = [];
  await Promise.all(people.map((person) => pipeline.hook(privateText(person, `speak ${person}`))));
  const areBusy = () =>
    people.every((person) => pipeline.telegram.in(person).some(({ text }) => text.includes("word")));
  await until(areBusy, WAIT_MS_MAX, "everybody to be spoken to");
  await sleep(1_000);
  for (const person of people) {
    const start = performance.now();
    await pipeline.hook(privateText(person, "/stop"));
    const isTold = () => pipeline.telegram.in(person).some(({ text }) => text.includes("Stopped"));
    await until(() => hungUp.has(`speak ${person}`) && isTold(), WAIT_MS_MAX, "the stop");
    silent.push((hungUp.get(`speak ${person}`) ?? start) - start);
    told.push(performance.now() - start);
  }
  await pipeline.close();
  model.close();
  return { busy: BUSY, silent: spreadOf(silent), told: spreadOf(told) };
}
