/** What holds that an operator is told once, and that what waits for a setting is neither lost nor doubled. */
import type { Mutation } from "./mutation.ts";

const STORE = "test/unit/store/alerts.test.ts";
const TOLD = "test/pipeline/alerts.test.ts";
const DESK = "test/pipeline/dead-letters.test.ts";

export const ALERTS: readonly Mutation[] = [
  {
    name: "what passes at once is not told",
    file: "shared/store/alerts.ts",
    find: "wrong_since <= ${now - alert_hold_ms}",
    replace: "wrong_since <= ${now + 0 * alert_hold_ms}",
    test: STORE,
  },
  {
    name: "what comes and goes is not told each time",
    file: "shared/store/alerts.ts",
    find: " AND told_at <= ${now - alert_calm_ms}",
    replace: " AND told_at <= ${now + alert_calm_ms}",
    test: STORE,
  },
  {
    name: "what is told already is not told again",
    file: "shared/store/alerts.ts",
    find: "WHERE told <> 'firing' AND",
    replace: "WHERE",
    test: TOLD,
  },
  {
    name: "what is not wrong any more is right",
    file: "shared/store/alerts.ts",
    find: "wrong_since IS NOT NULL AND seen_at < ${now}`",
    replace: "seen_at < 0 AND seen_at < ${now}`",
    test: STORE,
  },
  {
    name: "a platform that cannot be asked mends nothing",
    file: "shared/store/statements/wrong.ts",
    find: "WHERE value->>'state' IN ('unknown', 'refused'))",
    replace: "WHERE value->>'state' = 'nothing')",
    test: TOLD,
  },
  {
    name: "a model that nobody has asked since is not mended",
    file: "shared/store/statements/wrong.ts",
    find: "WHERE kind = 'misconfigured' AND subject = 'model' AND wrong_since IS NOT NULL",
    replace: "WHERE 0 AND wrong_since IS NOT NULL",
    test: STORE,
  },
  {
    name: "answers go on when their platform takes the token again",
    file: "workers/notifier/watch/watch.ts",
    find: 'await ring(getBells(env), doorbells, "notifier");',
    replace: "",
    test: TOLD,
  },
  {
    name: "a message that is shown stays when the token goes",
    file: "shared/store/park.ts",
    find: "part >= 0 AND state = 'creating' AND",
    replace: "part >= 0 AND",
    test: DESK,
  },
  {
    name: "a sink hears of the beginning before the end",
    file: "shared/store/alerts.ts",
    find: "AND o.outcome IS NULL AND o.revision < n.revision)",
    replace: "AND 0)",
    test: STORE,
  },
  {
    name: "what begins does not wait for an end that nobody is told",
    file: "shared/store/alerts.ts",
    find: "AND o.revision = notices.revision - 1 AND o.outcome <> 'told')`",
    replace: "AND 0)`",
    test: STORE,
  },
  {
    name: "who was told of what is wrong still is told of its end",
    file: "shared/store/purge.ts",
    find: "AND a.revision = notices.revision AND a.told = 'firing')",
    replace: "AND 0)",
    test: STORE,
  },
  {
    name: "what nobody watched was not wrong all the time",
    file: "shared/store/alerts.ts",
    find: "CASE WHEN seen_at < ${now - GAP_WATCHES * clock_late_ms}",
    replace: "CASE WHEN seen_at < ${-GAP_WATCHES * clock_late_ms}",
    test: STORE,
  },
  {
    name: "an address that cannot be used is not in the log",
    file: "workers/notifier/watch/sinks/webhook.ts",
    find: 'if (!isHttp(url)) return { kind: "refused", reason: "it is no address of http or https" };',
    replace: "",
    test: "test/pipeline/late-watch.test.ts",
  },
];
