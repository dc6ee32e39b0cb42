/** The watch tells of the other clock; of its own tells whoever still runs. */
import { describe, expect, it } from "vitest";
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
