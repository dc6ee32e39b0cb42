/** Giving a subject work: at a rate, or so much at once. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Job, Subject } from "./subject.ts";

const ANSWERED_MS_MAX = 120_000;
/** Whatever is answered twice is so soon after the first time. */
const TWICE_MS = 1_000;

export interface Load {
  /** Milliseconds from sending to the 2xx. */
  acknowledgedMs: number[];
  /** Milliseconds from sending to the answer at the platform. */
  answeredMs: number[];
  lost: number;
  doubled: number;
  seconds: number;
}

let nextChat = 100_000;

/** Sends at this rate, whether the answers come or not. */
export function atRate(subject: Subject, job: Job, perSecond: number, count: number): Promise<Load> {
  return run(subject, job, count, async (sendOne) => {
    const sent: Promise<void>[] = [];
    const start = performance.now();
    for (let i = 0; i < count; i++) {
      await sleep(Math.max(0, start + (i * 1_000) / perSecond - performance.now()));
      sent.push(sendOne());
    }
    await Promise.all(sent);
  });
}

/** Keeps so many in flight: the next is sent when one is answered. */
export function inFlight(subject: Subject, job: Job, width: number, count: number): Promise<Load> {
  return run(subject, job, count, async (sendOne) => {
    let left = count;
    const lane = async () => {
      while (left-- > 0) await sendOne();
    };
    await Promise.all(Array.from({ length: width }, lane));
  });
}

async function run(
  subject: Subject,
  job: Job,
  count: number,
  drive: (sendOne: () => Promise<void>) => Promise<void>,
): Promise<Load> {
  const load: Load = { acknowledgedMs: [], answeredMs: [], lost: 0, doubled: 0, seconds: 0 };
  const waiting = new Map<number, () => void>();
  const answers = new Map<number, number>();
  subject.onAnswer = (chat) => {
    answers.set(chat, (answers.get(chat) ?? 0) + 1);
    waiting.get(chat)?.();
  };
  const sendOne = async () => {
    const chat = nextChat++;
    const answered = new Promise<void>((resolve) => waiting.set(chat, resolve));
    const start = performance.now();
    await subject.send(chat, job);
    load.acknowledgedMs.push(performance.now() - start);
    const timer = sleep(ANSWERED_MS_MAX, "late" as const, { ref: false });
    if ((await Promise.race([answered, timer])) === "late") return void load.lost++;
    load.answeredMs.push(performance.now() - start);
  };
  const start = performance.now();
  await drive(sendOne);
  load.seconds = (performance.now() - start) / 1_000;
  await sleep(TWICE_MS);
  load.doubled = [...answers.values()].filter((times) => times > 1).length;
  if (answers.size + load.lost !== count) throw new Error(`${answers.size} of ${count} were answered`);
  return load;
}
