/** A Worker of the tests' own: runs SQL on the house's database. (The harness's own binding blocks Node while it waits.) */
export default {
  async fetch(request, env) {
    const { sql, bindings } = await request.json<{ sql: string; bindings: unknown[] }>();
    const { results } = await env.DB.prepare(sql)
      .bind(...bindings)
      .all();
    return Response.json(results);
  },
} satisfies ExportedHandler<{ DB: D1Database }>;
