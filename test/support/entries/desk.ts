/** A Worker of the tests' own: reads the pipeline's files. (The harness's own binding blocks Node while it waits.) */
export default {
  async fetch(_request, env) {
    const { objects } = await env.FILES.list();
    const texts = objects.map(async ({ key }) => `${key}: ${await (await env.FILES.get(key))?.text()}`);
    return Response.json(await Promise.all(texts));
  },
} satisfies ExportedHandler<{ FILES: R2Bucket }>;
