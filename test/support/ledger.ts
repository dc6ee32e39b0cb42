/** The ledger of effects: what the counting entries report, in order. */
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import type { AddressInfo } from "node:net";
import type { Effect } from "./entries/instrument.ts";

export class Ledger {
  readonly effects: Effect[] = [];
  private readonly server = createServer((request, response) => {
    void text(request).then((body) => {
      this.effects.push(JSON.parse(body));
      response.end();
    });
  });

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  /** What was spent since the last reading, by stage and in all. */
  take() {
    const effects = this.effects.splice(0);
    const d1 = effects.filter(({ kind }) => kind === "d1");
    const sum = (of: readonly Effect[], field: "statements" | "rowsWritten") =>
      of.reduce((n, effect) => n + effect[field], 0);
    const roundTripsOf = (stage: string) => d1.filter((effect) => effect.stage === stage).length;
    return {
      roundTrips: d1.length,
      byStage: Object.fromEntries(
        ["ingress", "planner", "executor", "notifier"].map((stage) => [stage, roundTripsOf(stage)]),
      ),
      statements: sum(d1, "statements"),
      rowsWritten: sum(d1, "rowsWritten"),
      doorbells: sum(
        effects.filter(({ kind }) => kind === "queue"),
        "statements",
      ),
      instances: effects.filter(({ kind }) => kind === "workflow").length,
    };
  }
}
