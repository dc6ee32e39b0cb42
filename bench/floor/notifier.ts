/** The floor's way out: one call to the platform, one write a batch. */
import { type Bound, type Job, mark } from "./bound.ts";

export default {
  async queue(batch, env) {
    const jobs = batch.messages.map(({ body }) => body);
    const send = ({ chat }: Job) =>
      fetch(`${env.PLATFORM_URL}/sendMessage`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ chat_id: chat, text: "done" }),
      }).then((response) => response.text());
    await Promise.all(jobs.map(send));
    await mark(
      env.DB,
      jobs.map(({ id }) => id),
      "answered",
    );
  },
} satisfies ExportedHandler<Bound, Job>;
