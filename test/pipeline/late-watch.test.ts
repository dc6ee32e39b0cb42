/** The watch tells of the other clock; of its own tells whoever still runs. */
import { describe, expect, it } from "vitest";
import type { Status } from "../../shared/contracts/api.ts";
import { openPipeline, privateText } from "../support/pipeline.ts";
import { SinkServer } from "../support/sink-server.ts";
import { until } from "../support/until.ts";

const NOTIFIER = "errand-notifier";
const SECRET = `whsec_${Buffer.from("a secret of at least 24 bytes").toString("base64")}`;
const WAIT_MS_MAX = 60_000;

describe("a watch whose clock stands still", () => {
  it("is kept by whoever is called, who tells of it", async () => {
    const sink = new SinkServer();
    const other = await openPipeline({
      timings: { alert_hold_ms: 0, clock_late_ms: 500 },
      vars: { ERRAND_ALERT_URL: `http://${await sink.listen()}/`, ERRAND_ALERT_SECRET: SECRET },
    });
    try {
      await other.runtime.ring(NOTIFIER);
      const isTold = () =>
        sink.received.some(({ body }) => body.includes("the clock of the watch has stopped"));
      // Nothing happens by itself; each message may be too early.
      await until(
        async () => {
          await other.hook(privateText(31, "/help"));
          await other.quiet();
          return isTold();
        },
        WAIT_MS_MAX,
        "the late watch",
      );
      const [first] = sink.received;
      expect(first?.body).toContain('"where":"Errand on this machine"');
    } finally {
      await other.close();
      sink.close();
    }
  });
});

it("a sink whose settings cannot be used is given up by its name, and its secrets are nowhere", async () => {
  const other = await openPipeline({
    timings: { alert_hold_ms: 0 },
    vars: {
      ERRAND_ALERT_URL: "http://127.0.0.1:99999/hidden-path",
      ERRAND_ALERT_SECRET: SECRET,
      ERRAND_ERROR_DSN: "http://hidden-key@127.0.0.1/none",
      ERRAND_ALERT_CHAT: "pigeon:1",
    },
  });
  try {
    await other.hook({ update_id: 1, message: { text: "nobody can read this" } });
    await other.runtime.ring(NOTIFIER);
    const outcomes = await other.sql<{ sink: string; outcome: string }>(
      "SELECT sink, outcome FROM notices ORDER BY sink",
    );
    expect(outcomes).toEqual([
      { sink: "chat", outcome: expect.stringMatching(/^given up: ERRAND_ALERT_CHAT: it names no chat/) },
      { sink: "errors", outcome: expect.stringMatching(/^given up: ERRAND_ERROR_DSN: it is no DSN/) },
      {
        sink: "webhook",
        outcome: expect.stringMatching(
          /^given up: ERRAND_ALERT_URL with ERRAND_ALERT_SECRET: it is no address of http/,
        ),
      },
    ]);
    expect(other.logs.filter((line) => line.includes("given up"))).toHaveLength(3);
    expect(other.logs.join()).not.toMatch(/hidden/);
    expect((await other.api<Status>("GET", "/status")).body.untold_alerts).toBe(3);
  } finally {
    await other.close();
  }
});
