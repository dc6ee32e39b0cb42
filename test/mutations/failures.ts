/** Vitest's reporter for the mutations: the first failure is written into the file of FAILURES, and ends the run. */
import { appendFileSync } from "node:fs";
import type { Reporter, TestCase, TestModule, Vitest } from "vitest/node";

/** Instead of --bail, which may end a run before its failure is reported: the Workers plugin throws at whoever cancels a start. */
export default class Failures implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestCaseResult(test: TestCase): void {
    if (test.result().state === "failed") this.#end(test.module, test.fullName);
  }

  /** What failed before or between its tests. */
  onTestModuleEnd(module: TestModule): void {
    for (const { message } of module.errors()) this.#end(module, message);
  }

  #end({ relativeModuleId }: TestModule, what: string): void {
    appendFileSync(process.env["FAILURES"] ?? "", `${relativeModuleId}: ${what.split("\n")[0]}\n`);
    // Not awaited: it waits for the run, and the run for its reporters.
    this.#vitest?.cancelCurrentRun("test-failure").catch(() => undefined);
  }
}
