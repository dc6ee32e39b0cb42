/** The gate: the only way out of a container. What the operator's list allows goes on, with the credential that the container never sees. */
import { WorkerEntrypoint } from "cloudflare:workers";
import { describeError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { decideEgress, readEgress } from "../../shared/policy/egress.ts";
import type { Env } from "./hand.ts";

export interface GateProps {
  /** Of the object whose container it is. */
  readonly hand: string;
}

/** What the platform adds of whoever asks, and what a container has no business to say. */
const STRIPPED = ["authorization", "cookie", "proxy-authorization", "x-forwarded-for"];

export class Gate extends WorkerEntrypoint<Env, GateProps> {
  override async fetch(request: Request): Promise<Response> {
    const { method } = request;
    const url = new URL(request.url);
    const hand = this.env.HAND.getByName(this.ctx.props.hand);
    const egress = decideEgress(readEgress(this.env.ERRAND_EGRESS), method, url);
    const path = url.pathname.slice(0, LIMITS.egress_path_chars_max);
    const asked = { host: url.hostname, method, path };
    if (egress.kind === "refused") {
      await hand.note({ ...asked, status: null });
      return refuse(403, egress.why);
    }
    // Noted before it is sent: nothing goes out of which nobody knows.
    const noted = await hand.note({ ...asked, status: 0 });
    if (noted === null)
      return refuse(429, `a script may make ${LIMITS.egress_requests_max} requests, while it runs`);
    try {
      const response = await this.send(request, egress.headers);
      const counted = countBytes(response, (bytes) => {
        this.ctx.waitUntil(hand.settle(noted, { status: response.status, bytes }));
      });
      return new Response(counted, response);
    } catch (error) {
      await hand.settle(noted, { status: 502, bytes: 0 });
      return refuse(502, describeError(error));
    }
  }

  /** A redirect goes back to the container, whose next request comes here again: no credential follows it. */
  private send(request: Request, headers: Readonly<Record<string, string>>): Promise<Response> {
    const sent = new Headers(request.headers);
    for (const name of STRIPPED) sent.delete(name);
    for (const [name, value] of Object.entries(headers)) sent.set(name, value);
    return fetch(new Request(request, { headers: sent, redirect: "manual" }));
  }
}

function refuse(status: number, why: string): Response {
  return new Response(`The gate refuses it: ${why}.\n`, { status });
}

/** The same body, which breaks off beyond its bound. @param done is told how much of it there was. */
function countBytes({ body }: Response, done: (bytes: number) => void): ReadableStream | null {
  let bytes = 0;
  if (body === null) {
    done(bytes);
    return null;
  }
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes <= LIMITS.egress_bytes_max) return controller.enqueue(chunk);
      done(bytes);
      controller.error(new Error(`an answer may have ${LIMITS.egress_bytes_max} bytes`));
    },
    flush: () => done(bytes),
  });
  return body.pipeThrough(counter);
}
