/** Errors as RFC 9457 problem details: what happened, to what, and what to do. */

/** Whoever has so many faults reads no more of them; an answer must not grow with what was sent. */
const FAULTS_SHOWN = 10;
/** A turn takes some seconds. */
const RETRY_AFTER_S = "10";

export interface Problem {
  status: 400 | 401 | 403 | 404 | 405 | 409 | 412 | 413 | 416 | 422 | 429 | 503;
  title: string;
  detail: string;
  /** The faults of a request, by their paths in the body. */
  errors?: readonly { path: string; message: string }[];
  /** Where to look instead. */
  links?: Record<string, string>;
}

/** What a handler throws instead of an answer: the one way out of ingress for everything that is refused. */
export class HttpProblem extends Error {
  override readonly name = "HttpProblem";
  readonly facts: Problem;
  readonly headers: Readonly<Record<string, string>>;

  constructor(facts: Problem, headers: Readonly<Record<string, string>> = {}) {
    super(`${facts.title}: ${facts.detail}`);
    this.facts = facts;
    this.headers = headers;
  }

  response(): Response {
    const { status } = this.facts;
    const headers = {
      "content-type": "application/problem+json",
      ...(status === 401 && { "www-authenticate": 'Bearer realm="errand"' }),
      ...(status === 503 && { "retry-after": "5" }),
      ...this.headers,
    };
    return new Response(JSON.stringify({ type: "about:blank", ...this.facts }), { status, headers });
  }
}

/** A request with faults: the first of them, each by its path. */
export function invalidRequest(errors: readonly { path: string; message: string }[]): HttpProblem {
  return new HttpProblem({
    status: 400,
    title: "Invalid request",
    detail:
      errors.length <= FAULTS_SHOWN
        ? "See `errors` for every fault."
        : `See \`errors\` for the first ${FAULTS_SHOWN} of ${errors.length} faults.`,
    errors: errors.slice(0, FAULTS_SHOWN),
  });
}

/** Too much at once: how long to wait is said where programs look for it. */
export function tooMany(title: string, detail: string, links?: Record<string, string>): HttpProblem {
  const facts = { status: 429 as const, title, detail, ...(links && { links }) };
  return new HttpProblem(facts, { "retry-after": RETRY_AFTER_S });
}

export function notFound(what: string, detail: string): HttpProblem {
  return new HttpProblem({ status: 404, title: `No such ${what}`, detail });
}
