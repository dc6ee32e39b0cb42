/** The notifier: makes what is shown what is wanted (`replies`), and keeps the dead-letter desk. */
import { consume } from "../../shared/queue/consume.ts";
import { bellsOf, type Env } from "./env.ts";
import { parkDeadLetters } from "./dead-letter.ts";
import { deliverAll } from "./deliver.ts";

const DEAD_LETTERS = "errand-dead-letters";

export default {
  async queue(batch, env) {
    if (batch.queue === DEAD_LETTERS) await parkDeadLetters(batch, env);
    else {
      const look = (keys: readonly string[]) => deliverAll(env, keys);
      await consume(batch, { stage: "notifier", db: env.DB, bells: bellsOf(env), look });
    }
  },
} satisfies ExportedHandler<Env>;
