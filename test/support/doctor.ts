/** What the tests of the doctor have in common: the platforms that it asks, and how its findings are read. */
import { afterAll, beforeAll, beforeEach } from "vitest";
import { ModelServer } from "../../fakes/model-server.ts";
import { TelegramServer } from "../../fakes/telegram-server.ts";
import type { Finding } from "../../scripts/doctor/finding.ts";

/** The faults and warnings, as `check: words → mend`. */
export const listSick = (findings: readonly Finding[]) =>
  findings
    .filter(({ state }) => state !== "ok")
    .map(({ check, words, mend }) => `${check}: ${words} → ${mend}`);

/** A bot's platform and a model, for the tests of a file. */
export function openPlatforms() {
  const platforms = {
    telegram: new TelegramServer(),
    model: new ModelServer(),
    telegramUrl: "",
    modelUrl: "",
  };
  beforeAll(async () => {
    platforms.telegramUrl = await platforms.telegram.listen();
    platforms.modelUrl = await platforms.model.listen();
  });
  afterAll(async () => {
    await platforms.telegram.close();
    platforms.model.close();
  });
  beforeEach(() => {
    platforms.telegram.reset();
    platforms.model.reset();
  });
  return platforms;
}
