/** The results as one page that a person can read, on a phone too: numbers, bars, and what they mean. */
import type { Results } from "./run.ts";
import { round } from "./stats.ts";

type Pair = { floor: number; ours: number };

/** Measured beside the run, with one Worker that does nothing else; the counts are those of test/pipeline/cost.test.ts. */
const WHY = `<h2>Where the difference goes</h2>
<p>A task with one tool call makes 8 D1 round trips with 8 statements and one call to the platform on the floor. Ours makes 14 with 75 statements
(and one more a second later), two calls and ten log lines: the doorbell rows, the claims, the receipt, and a message that is created, recorded and then edited.
In local workerd a D1 round trip costs about 0.9 ms of its one thread, each further statement 0.05 ms, a call to the outside 1 to 2 ms, a log line 0.2 ms. Queue deliveries, Workflow steps and isolates cost the same in both. In production D1 is a network away and its
round trips are most of what an answer takes, while CPU is spread over many processes; there the round trips count, and the throughput of one thread does not. Before the acknowledgement ours reads the body as JSON, checks
the secret, hashes two ids and writes two rows where the floor writes one: 1 to 2 ms of CPU more, and in cold code, five times a second, what it adds.</p>`;

const AIMS = { acknowledged: 1.3, answered: 1.5, throughput: 0.7, addedMs: 380 };

/** @returns a whole HTML document, without anything from elsewhere. */
export function page(results: Results): string {
  const { machine, noise, noisy, at } = results;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Errand: what a hop costs</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 46rem; margin: auto; padding: 1rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid #8884; }
th:first-child, td:first-child { text-align: left; }
.wide { overflow-x: auto; }
svg { width: 100%; height: auto; } svg text { fill: currentColor; font-size: 12px; }
.floor { fill: #8a8a8a; } .ours { fill: #2f7ed8; }
</style>
<h1>What a hop costs</h1>
<p>Floor and ours, interleaved in one run at ${at}, on ${machine.cpus} processors with Node ${machine.node}. The floor is the bare
engine: the same five Workers, three queues, one Workflow with the same steps, the same isolate, one D1 round trip a hop, one call to the platform.
The model takes no time. Both run on the runtime of one machine, the runner beside the others.
Rounds of the floor lie ${Math.round(noise * 100)} % apart${noisy ? ": <strong>this machine was noisy</strong>, so only large differences mean something" : ""}.</p>
${starts(results)}
${latency(results)}
${throughput(results)}
${WHY}
${kills(results)}
${stop(results)}
${growth(results)}
${cold(results)}
</html>
`;
}

function starts({ starts: rows }: Results): string {
  const table = rows.map(({ what, readySeconds, idleMib }) => [
    what,
    `${readySeconds} s`,
    idleMib === null ? "" : `${Math.round(idleMib)} MiB`,
  ]);
  return `<h2>From <code>npm start</code> until it takes requests</h2>
<p>Medians of three. Memory is the share of all its processes (PSS), npm and Node.js among them, when nothing is to do.</p>
${tableOf(["", "ready after", "idle"], table)}`;
}

function latency({ latency: rows }: Results): string {
  const table = rows.flatMap(({ kind, acknowledged, answered }) => [
    [
      `${kind}: acknowledged`,
      ...spread(acknowledged),
      verdict(acknowledged.ours.p50 / acknowledged.floor.p50, AIMS.acknowledged),
    ],
    [
      `${kind}: answered`,
      ...spread(answered),
      verdict(answered.ours.p50 / answered.floor.p50, AIMS.answered),
    ],
  ]);
  const bars = rows.map(({ kind, answered }) => ({
    label: kind,
    floor: answered.floor.p50,
    ours: answered.ours.p50,
  }));
  const added = rows.map(
    ({ kind, answered }) => `${kind} ${Math.round(answered.ours.mean - answered.floor.mean)} ms`,
  );
  return `<h2>Five tasks a second</h2>
<p>Milliseconds, p50 / p95 / p99, and the ratio of the medians. On average we add to the floor: ${added.join(", ")} (aim: below ${AIMS.addedMs} ms).</p>
${tableOf(["", "floor", "ours", "ratio"], table)}
${chart("Milliseconds to the answer, median", bars)}`;
}

function spread({ floor, ours }: Results["latency"][number]["answered"]): string[] {
  return [floor, ours].map(({ p50, p95, p99 }) => [p50, p95, p99].map((ms) => Math.round(ms)).join(" / "));
}

function throughput({ throughput: rows, slow }: Results): string {
  const table = rows.map(({ inFlight, tasksPerSecond, cpuSecondsPer1000, grownMibPer1000, peakMib }) => [
    `${inFlight} in flight`,
    pair(tasksPerSecond),
    verdict(tasksPerSecond.ours / tasksPerSecond.floor, AIMS.throughput, "at least"),
    pair(cpuSecondsPer1000),
    pair(grownMibPer1000),
    pair(peakMib),
  ]);
  const bars = rows.map(({ inFlight, tasksPerSecond }) => ({
    label: `${inFlight} in flight`,
    ...tasksPerSecond,
  }));
  return `<h2>As many as it can</h2>
<p>Tasks with one tool call, floor / ours. CPU and memory are workerd's.</p>
${tableOf(["", "tasks a second", "ratio", "CPU s per 1,000", "MiB grown per 1,000", "MiB at most"], table)}
${chart("Tasks a second", bars)}
<p>${slow.conversations} conversations at once, each turn slowed to ${slow.thinkMs} ms: all answered after ${slow.seconds} s, ${slow.lost} lost, ${slow.doubled} answered twice.</p>`;
}

function kills({
  kills: { kills: times, acknowledged, lostPer1000, twicePer1000, stuckPer1000, strayPreviews },
}: Results): string {
  return `<h2>Killed ${times} times under 50 tasks in flight</h2>
<p>Of ${acknowledged} acknowledged tasks, per 1,000: <strong>${round(lostPer1000)} lost, ${round(twicePer1000)} answered twice, ${round(stuckPer1000)} stuck</strong>.
${strayPreviews} previews (the first words of an answer, ending in an ellipsis) were left behind by messages whose creation nobody heard of.</p>`;
}

function stop({ stop: { busy, silent, told } }: Results): string {
  const table = [
    ["until the model is hung up on", `${silent.p50} ms`, `${silent.p95} ms`, verdict(silent.p95 / 1_000, 1)],
    ["until the person reads it", `${told.p50} ms`, `${told.p95} ms`, ""],
  ];
  return `<h2>Stopped with ${busy} tasks under way</h2>
${tableOf(["from the request", "median", "95%", "of a second"], table)}`;
}

function growth({ growth: rows }: Results): string {
  const table = rows.flatMap(({ what, points }) =>
    points.map(({ size, medianMs }) => [
      `${what}, n = ${size.toLocaleString("en")}`,
      `${Math.round(medianMs)} ms`,
    ]),
  );
  return `<h2>How it grows</h2>
${tableOf(["", "median to the answer"], table)}`;
}

function cold({ cold: rows }: Results): string {
  const table = rows.map(({ worker, gzipKib, startupMs }) => [worker, `${gzipKib} KiB`, `${startupMs} ms`]);
  return `<h2>Cold</h2>
${tableOf(["Worker", "bundle, gzipped", "CPU time of its start"], table)}`;
}

const pair = ({ floor, ours }: Pair) => `${round(floor)} / ${round(ours)}`;

function verdict(ratio: number, aim: number, relation: "at most" | "at least" = "at most"): string {
  const met = relation === "at most" ? ratio <= aim : ratio >= aim;
  return `${round(ratio)} ${met ? "✓" : `✗ (aim: ${relation} ${aim})`}`;
}

const cells = (tag: string, row: readonly string[]) => row.map((cell) => `<${tag}>${cell}</${tag}>`).join("");

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return `<div class="wide"><table><tr>${cells("th", head)}</tr>${rows.map((row) => `<tr>${cells("td", row)}</tr>`).join("\n")}</table></div>`;
}

const BAR = { height: 16, gap: 14, left: 120, width: 420 };

/** Two bars a row: the floor above ours. */
function chart(title: string, rows: readonly ({ label: string } & Pair)[]): string {
  const most = Math.max(...rows.flatMap(({ floor, ours }) => [floor, ours]));
  const rowHeight = 2 * BAR.height + BAR.gap;
  const bar = (y: number, kind: keyof Pair, value: number) => {
    const width = (value / most) * BAR.width;
    return `<rect class="${kind}" x="${BAR.left}" y="${y}" width="${width.toFixed(1)}" height="${BAR.height - 2}"/>
<text x="${BAR.left + width + 6}" y="${y + 12}">${kind} ${Math.round(value)}</text>`;
  };
  const bars = rows.map(({ label, floor, ours }, index) => {
    const y = index * rowHeight;
    return `<text x="0" y="${y + BAR.height + 3}">${label}</text>${bar(y, "floor", floor)}${bar(y + BAR.height, "ours", ours)}`;
  });
  return `<figure><svg viewBox="0 0 ${BAR.left + BAR.width + 90} ${rows.length * rowHeight}" role="img" aria-label="${title}">${bars.join("\n")}</svg><figcaption>${title}</figcaption></figure>`;
}
