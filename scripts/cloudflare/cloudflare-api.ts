/** Cloudflare's API, read: what a plan needs to know. wrangler does the writing, but for what it has no command for. */
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod/mini";
import { fetchDirect } from "../../shared/fetch.ts";

const ANSWER_MS_MAX = 30_000;
const TRIES_MAX = 4;
const WAIT_MS_MAX = 10_000;

/** A refusal, with Cloudflare's own code and words. */
export class CloudflareError extends Error {
  override readonly name = "CloudflareError";
  readonly status: number;
  /** 0: it gave none. */
  readonly code: number;
  constructor(message: string, status: number, code: number) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const Envelope = z.object({
  success: z.boolean(),
  errors: z.nullish(z.array(z.object({ code: z.number(), message: z.string() }))),
  result: z.unknown(),
});

export interface ApiAccess {
  /** With `/client/v4`. */
  readonly baseUrl: string;
  readonly token: string;
}

interface Request {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly body?: unknown;
}

export class CloudflareApi {
  private readonly access: ApiAccess;
  constructor(access: ApiAccess) {
    this.access = access;
  }

  /** What lies there, or null when nothing does. */
  async find<Found extends z.core.$ZodType>(path: string, schema: Found): Promise<z.output<Found> | null> {
    try {
      return await this.call(path, schema);
    } catch (error) {
      if (error instanceof CloudflareError && error.status === 404) return null;
      throw error;
    }
  }

  /** Throws a CloudflareError when it refuses. Waits, a few times, when it asks to. */
  async call<Answer extends z.core.$ZodType>(
    path: string,
    schema: Answer,
    request: Request = {},
  ): Promise<z.output<Answer>> {
    return read(path, schema, await this.ask(path, request));
  }

  /** A file's bytes. Throws a CloudflareError when there is none. */
  async download(path: string): Promise<Uint8Array> {
    const response = await this.ask(path, {});
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
    return read(path, z.never(), response);
  }

  private async ask(path: string, request: Request): Promise<Response> {
    for (let tries = 1; ; tries++) {
      const response = await this.fetch(path, request);
      if (!isBusy(response.status) || tries === TRIES_MAX) return response;
      await response.body?.cancel();
      const askedMs = Number(response.headers.get("retry-after")) * 1_000 || tries * 1_000;
      await sleep(Math.min(askedMs, WAIT_MS_MAX));
    }
  }

  private async fetch(path: string, { method = "GET", body }: Request): Promise<Response> {
    const { baseUrl, token } = this.access;
    try {
      return await fetchDirect(`${baseUrl}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      });
    } catch (error) {
      const cause =
        error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      throw new Error(`${new URL(baseUrl).host} cannot be reached (${cause}).`, { cause: error });
    }
  }
}

const isBusy = (status: number) => status === 429 || status >= 500;

async function read<Answer extends z.core.$ZodType>(
  path: string,
  schema: Answer,
  response: Response,
): Promise<z.output<Answer>> {
  const parsed = Envelope.safeParse(await response.json().catch(() => null));
  if (!parsed.success)
    throw new CloudflareError(
      `${path}: HTTP ${response.status}, and no answer of the API's.`,
      response.status,
      0,
    );
  const [error] = parsed.data.errors ?? [];
  if (!response.ok || !parsed.data.success)
    throw new CloudflareError(error?.message ?? `HTTP ${response.status}`, response.status, error?.code ?? 0);
  const answer = z.safeParse(schema, parsed.data.result);
  if (answer.success) return answer.data;
  throw new CloudflareError(
    `${path}: the answer is not as documented (${z.prettifyError(answer.error)}).`,
    response.status,
    0,
  );
}
