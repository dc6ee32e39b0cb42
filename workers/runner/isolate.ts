/** Code in a Dynamic Worker of its own: fresh for every run, no network, no bindings, output and time bounded. */
import { readBody } from "../../shared/body.ts";
import { CODE_FORM_BYTES_MAX, decodeCodeForm, encodeCodeRequest } from "../../shared/code-form.ts";
import type { CodeResult, CodeRequest } from "../../shared/contracts/code.ts";
import { describeError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { Ends } from "./ends.ts";
import HARNESS from "./inside/harness.txt";
import BASH from "./inside/bash.txt";
import STRIP_TYPES from "./inside/strip-types.txt";
import { sanitizeFile } from "./made-files.ts";
import {
  describeFault,
  pickFurther,
  readParserFault,
  readRuntimeFault,
  type SyntaxFault,
} from "./syntax-error.ts";

const COMPATIBILITY_DATE = "2026-06-01";
/** In UTF-8. What is left when the types are gone is no longer than what was there before. */
const STRIPPED_BYTES_MAX = LIMITS.code_chars_max * 3;

/** Enforced in production; where it is not, the watchdog takes its place. */
const boundCpuMs = (wallMs: number) => Math.min(wallMs, 30_000);

export interface Isolates {
  loader: WorkerLoader;
  ends: Ends;
  /** Tells `ends`, where somebody wants to know. */
  witness: Fetcher | undefined;
}

/** What came of one reading of the code: a result, or why it could not be read so. */
type Ran = CodeResult | SyntaxFault;
const isFault = (ran: Ran): ran is SyntaxFault => "line" in ran;

/** A script ends itself in time, and tells then what it has printed; what does not is ended this much later. */
const SCRIPT_GRACE_MS = 500;

export async function runIsolated(isolates: Isolates, request: CodeRequest): Promise<CodeResult> {
  if (request.language === "javascript") return runJavaScript(isolates, request);
  const ran = await run(isolates, { "bash.js": BASH }, request, SCRIPT_GRACE_MS);
  return isFault(ran) ? failed(ran.message) : ran;
}

/** Runs the code as an expression if it is one, else as the body of a function; as it is, else with its types stripped. */
async function runJavaScript(isolates: Isolates, request: CodeRequest): Promise<CodeResult> {
  const { code } = request;
  const plain = await runEither(isolates, code, request);
  if (!isFault(plain)) return plain;
  const stripped = await stripTypes(isolates, request);
  if (typeof stripped !== "string")
    return isFault(stripped) ? explain(pickFurther(plain, stripped), code) : stripped;
  const ran = await runEither(isolates, stripped, request);
  return isFault(ran) ? explain(pickFurther(plain, ran), code) : ran;
}

function explain(fault: SyntaxFault, code: string): CodeResult {
  return { kind: "syntax_error", message: describeFault(fault, code) };
}

/** What stands before the code, in its first line, so that lines keep their numbers in whatever is thrown; both are equally long. */
const EXPRESSION = "export default async () => (";
const STATEMENTS = "export default async () => {";

/** V8 is the judge of what is JavaScript: the readings are tried until one loads. */
async function runEither(isolates: Isolates, code: string, request: CodeRequest): Promise<Ran> {
  const beside = { ...(request.bash && { "bash.js": BASH }) };
  const read = (as: string) => run(isolates, { "harness.js": HARNESS, "code.js": as, ...beside }, request);
  const expression = await read(`${EXPRESSION}${code}\n)`);
  if (!isFault(expression)) return expression;
  return read(`${STATEMENTS}${code}\n}`);
}

async function run(
  isolates: Isolates,
  modules: Record<string, string>,
  request: CodeRequest,
  graceMs = 0,
): Promise<Ran> {
  try {
    const response = await call(isolates, modules, request.wallMs + graceMs, encodeCodeRequest(request));
    // The code shares its isolate with the harness, so what comes out of it is bounded here.
    const { bytes, cut } = await readBody(response, CODE_FORM_BYTES_MAX);
    const type = response.headers.get("content-type") ?? "";
    const result =
      cut || !type.startsWith("multipart/form-data")
        ? null
        : await decodeCodeForm(await new Response(bytes, { headers: { "content-type": type } }).formData());
    if (result === null || result.kind === "not_started")
      return failed("It brought back more than it may, or nothing that can be read.");
    return result.kind === "done" ? { ...result, files: result.files.map(sanitizeFile) } : result;
  } catch (error) {
    return classifyFailure(error);
  }
}

/** The code without its types; the fault for which it is no TypeScript; a result when it could not be found out. */
async function stripTypes(isolates: Isolates, { code, wallMs }: CodeRequest): Promise<string | Ran> {
  try {
    const response = await call(isolates, { "strip-types.js": STRIP_TYPES }, wallMs, code);
    // Read in any case: an answer that nobody reads is never over.
    const { text, cut } = await readBody(response, STRIPPED_BYTES_MAX);
    if (response.ok && !cut && text !== null) return text;
    return readParserFault(text ?? "") ?? failed("It could not be read.");
  } catch (error) {
    return classifyFailure(error);
  }
}

/** Loads the modules, the first of which answers, and calls it. Rejects with what the runtime says, or a TimeoutError. */
async function call(
  { loader, ends, witness }: Isolates,
  modules: Record<string, string>,
  wallMs: number,
  body: string | FormData,
): Promise<Response> {
  const [mainModule = ""] = Object.keys(modules);
  const worker = loader.load({
    compatibilityDate: COMPATIBILITY_DATE,
    // For the gzip of bash alone.
    compatibilityFlags: "bash.js" in modules ? ["nodejs_compat"] : [],
    mainModule,
    modules,
    env: {},
    globalOutbound: null,
    limits: { cpuMs: boundCpuMs(wallMs) },
    ...(witness && { tails: [witness] }),
  });
  const url = ends.begin();
  try {
    const signal = AbortSignal.timeout(wallMs);
    return await worker.getEntrypoint().fetch(url, { method: "POST", body, signal });
  } catch (error) {
    if (isSyntaxError(error)) ends.neverBegan(url);
    throw error;
  }
}

const isSyntaxError = (thrown: unknown) =>
  readRuntimeFault(describeError(thrown), STATEMENTS.length) !== null;

/** What the runtime itself says of code that it would not start or had to give up. */
function classifyFailure(thrown: unknown): Ran {
  if (thrown instanceof Error && thrown.name === "TimeoutError") return { kind: "timed_out" };
  const reason = describeError(thrown);
  const fault = readRuntimeFault(reason, STATEMENTS.length);
  if (fault !== null) return fault;
  const hung = reason.includes("would never generate a response");
  return failed(hung ? "It waits for something that never happens." : reason);
}

function failed(error: string): CodeResult {
  return { kind: "done", printed: "", value: null, error, files: [], changes: [] };
}
