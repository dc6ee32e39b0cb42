/** The floor's way in: one write, 200, one queue message. */
import type { Bound, Job } from "./bound.ts";

export default {
  async fetch(request, env, ctx) {
    const job = await request.json<Job>();
    await env.DB.prepare("INSERT INTO jobs (id, state) VALUES (?, 'new')").bind(job.id).run();
    ctx.waitUntil(env.INBOUND.send(job));
    return new Response("ok");
  },
} satisfies ExportedHandler<Bound>;
