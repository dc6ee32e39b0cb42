/** Errors as RFC 9457 problem details: what happened, to what, and what to do. */

export interface Problem {
  status: 400 | 401 | 403 | 404 | 409 | 413 | 416 | 422 | 500 | 503;
  title: string;
  detail: string;
  /** Every fault of a request, by its path in the body. */
  errors?: readonly { path: string; message: string }[];
  /** Where to look instead. */
  links?: Record<string, string>;
}

/** A request with faults: all of them, each by its path. */
export function invalidRequest(errors: readonly { path: string; message: string }[]): Response {
  return problem({ status: 400, title: "Invalid request", detail: "See `errors` for every fault.", errors });
}

export function problem(facts: Problem): Response {
  const headers: Record<string, string> = { "content-type": "application/problem+json" };
  if (facts.status === 401) headers["www-authenticate"] = 'Bearer realm="errand"';
  if (facts.status === 503) headers["retry-after"] = "5";
  return new Response(JSON.stringify({ type: "about:blank", ...facts }), { status: facts.status, headers });
}
