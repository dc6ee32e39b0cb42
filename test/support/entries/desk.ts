/** A Worker of the tests' own: runs SQL on the pipeline's database, and reads its files. (The harness's own binding blocks Node while it waits.) */
export default {
  async fetch(request, env) {
    if (request.method === "GET") {
      const { objects } = await env.FILES.list();
      const texts = objects.map(async ({ key }) => `${key}: ${await (await env.FILES.get(key))?.text()}`);
      return Response.json(await Promise.all(texts));
    }
    const { sql, bindings } = await request.json<{ sql: string; bindings: unknown[] }>();
    const { results } = await env.DB.prepare(sql)
      .bind(...bindings)
      .all();
    return Response.json(results);
  },
} satisfies ExportedHandler<{ DB: D1Database; FILES: R2Bucket }>;
