/** `npm run bench`: the floor and ours in one run, interleaved; writes bench/results.json and bench/results.html. */
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { WORKERS } from "../test/support/worker-configs.ts";
import { type Cold, measureCold } from "./cold.ts";
import { type Growth, measureGrowth } from "./growth.ts";
import { type Kills, measureKills } from "./kills.ts";
import { atRate, inFlight, type Load } from "./load.ts";
import { page } from "./page.ts";
import { measured } from "./processes.ts";
import { measureStarts, type Start } from "./start.ts";
import { measureStop, type Stop } from "./stop.ts";
import { noiseOf, round, type Spread, spreadOf } from "./stats.ts";
import { type Job, openFloor, openOurs, type Subject } from "./subject.ts";

const KINDS: readonly [name: string, job: Job][] = [
  ["one turn", { calls: 0, thinkMs: 0 }],
  ["one tool call", { calls: 1, thinkMs: 0 }],
  ["five tool calls", { calls: 5, thinkMs: 0 }],
];
const RATE_PER_SECOND = 5;
const RATE_ROUNDS = 4;
const RATE_JOBS = 25;
const WIDTHS: readonly [width: number, jobs: number][] = [
  [1, 40],
  [20, 200],
  [200, 400],
];
const WIDTH_ROUNDS = 3;
/** Two rounds of the floor that differ by more than this say that the machine was busy with something else. */
const NOISY = 0.3;

type Both<Value> = Record<Subject["name"], Value>;

export interface Results {
  at: string;
  machine: { cpus: number; node: string };
  noise: number;
  noisy: boolean;
  starts: Start[];
  latency: { kind: string; acknowledged: Both<Spread>; answered: Both<Spread> }[];
  throughput: {
    inFlight: number;
    tasksPerSecond: Both<number>;
    cpuSecondsPer1000: Both<number>;
    grownMibPer1000: Both<number>;
    peakMib: Both<number>;
  }[];
  slow: { conversations: number; thinkMs: number; seconds: number; lost: number; doubled: number };
  kills: Kills;
  stop: Stop;
  growth: Growth[];
  cold: Cold[];
}

const say = (words: string) => console.error(`${new Date().toISOString().slice(11, 19)} ${words}`);

async function measureLatency(subjects: readonly Subject[]): Promise<Results["latency"]> {
  const rows: Results["latency"] = [];
  for (const [kind, job] of KINDS) {
    say(`${kind}, ${RATE_PER_SECOND} a second`);
    const loads: Both<Load[]> = { floor: [], ours: [] };
    for (let i = 0; i < RATE_ROUNDS; i++) {
      for (const subject of subjects)
        loads[subject.name].push(await atRate(subject, job, RATE_PER_SECOND, RATE_JOBS));
    }
    const of = (name: Subject["name"], field: "acknowledgedMs" | "answeredMs") =>
      spreadOf(loads[name].flatMap((load) => load[field]));
    rows.push({
      kind,
      acknowledged: { floor: of("floor", "acknowledgedMs"), ours: of("ours", "acknowledgedMs") },
      answered: { floor: of("floor", "answeredMs"), ours: of("ours", "answeredMs") },
    });
  }
  return rows;
}

const middle = (values: readonly number[]) =>
  round(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0);

async function measureThroughput(subjects: readonly Subject[]) {
  const rows: Results["throughput"] = [];
  let noise = 0;
  for (const [width, jobs] of WIDTHS) {
    say(`one tool call, ${width} in flight`);
    const rounds: Both<{ perSecond: number; cpu: number; grown: number; peak: number }[]> = {
      floor: [],
      ours: [],
    };
    for (let i = 0; i < WIDTH_ROUNDS; i++) {
      for (const subject of subjects) {
        const work = () => inFlight(subject, { calls: 1, thinkMs: 0 }, width, jobs);
        const { result, cpuSeconds, grownMib, peakMib } = await measured(subject.pids, work);
        if (result.lost + result.doubled > 0)
          throw new Error(`${subject.name} lost ${result.lost}, doubled ${result.doubled}`);
        const per1000 = 1_000 / jobs;
        rounds[subject.name].push({
          perSecond: jobs / result.seconds,
          cpu: cpuSeconds * per1000,
          grown: grownMib * per1000,
          peak: peakMib,
        });
      }
    }
    const both = (
      of: (one: { perSecond: number; cpu: number; grown: number; peak: number }) => number,
    ): Both<number> => ({
      floor: middle(rounds.floor.map(of)),
      ours: middle(rounds.ours.map(of)),
    });
    noise = Math.max(noise, noiseOf(rounds.floor.map(({ perSecond }) => perSecond)));
    rows.push({
      inFlight: width,
      tasksPerSecond: both(({ perSecond }) => perSecond),
      cpuSecondsPer1000: both(({ cpu }) => cpu),
      grownMibPer1000: both(({ grown }) => grown),
      peakMib: both(({ peak }) => peak),
    });
  }
  return { rows, noise };
}

async function measureSlow(ours: Subject): Promise<Results["slow"]> {
  const [conversations, thinkMs] = [200, 1_000];
  say(`${conversations} conversations at once, each turn ${thinkMs} ms`);
  const { seconds, lost, doubled } = await inFlight(
    ours,
    { calls: 1, thinkMs },
    conversations,
    conversations,
  );
  return { conversations, thinkMs, seconds: round(seconds), lost, doubled };
}

async function run(): Promise<Results> {
  say("starts");
  const starts = await measureStarts();
  say("kills");
  const kills = await measureKills();
  say("stops");
  const stop = await measureStop();
  say("cold starts");
  const cold: Cold[] = [];
  for (const worker of WORKERS) cold.push(await measureCold(worker));
  const floor = await openFloor();
  const ours = await openOurs();
  const subjects = [floor, ours];
  try {
    say("warming up");
    for (const subject of subjects) await inFlight(subject, { calls: 1, thinkMs: 0 }, 5, 40);
    const latency = await measureLatency(subjects);
    const { rows: throughput, noise } = await measureThroughput(subjects);
    const slow = await measureSlow(ours);
    await Promise.all(subjects.map((subject) => subject.close()));
    say("how it grows");
    const growth = await measureGrowth();
    const machine = { cpus: availableParallelism(), node: process.version };
    return {
      at: new Date().toISOString(),
      machine,
      noise,
      noisy: noise > NOISY,
      starts,
      latency,
      throughput,
      slow,
      kills,
      stop,
      growth,
      cold,
    };
  } finally {
    await Promise.allSettled(subjects.map((subject) => subject.close()));
  }
}

const results = await run();
await writeFile("bench/results.json", `${JSON.stringify(results, null, 2)}\n`);
await writeFile("bench/results.html", page(results));
say("written: bench/results.json and bench/results.html");
