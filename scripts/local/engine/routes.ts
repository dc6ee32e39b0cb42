/** What workerd asks of Docker, and what the engine makes of it. */
import * as z from "zod/mini";
import { begin } from "./attach.ts";
import type { Containers } from "./containers.ts";

const Create = z.object({
  Image: z.string(),
  Cmd: z.optional(z.nullable(z.array(z.string()))),
  Env: z.optional(z.nullable(z.array(z.string()))),
  Labels: z.optional(z.nullable(z.record(z.string(), z.string()))),
  HostConfig: z.object({ NetworkMode: z.optional(z.string()) }),
});
const Exec = z.object({
  Cmd: z.array(z.string()),
  Env: z.optional(z.nullable(z.array(z.string()))),
  WorkingDir: z.optional(z.string()),
  AttachStdin: z.optional(z.boolean()),
  AttachStdout: z.optional(z.boolean()),
  AttachStderr: z.optional(z.boolean()),
});
interface Asked {
  readonly name: string;
  readonly query: URLSearchParams;
  readonly body: string;
}
interface Said {
  readonly status: number;
  readonly body?: unknown;
}
type Route = (containers: Containers, asked: Asked) => Said | Promise<Said>;

/** Where a sidecar listens, inside. */
const SIDECAR_PORT = "39001/tcp";
const DONE: Said = { status: 204 };
const parseEnv = (lines: readonly string[] | null | undefined) =>
  Object.fromEntries(
    (lines ?? []).map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );

/** By method and path, where a `*` stands for the name of something. */
export const ROUTES: Readonly<Record<string, Route>> = {
  "HEAD /_ping": () => ({ status: 200 }),
  "GET /volumes": () => ({ status: 200, body: { Volumes: [] } }),
  "GET /networks/bridge": () => ({
    status: 200,
    body: { IPAM: { Config: [{ Subnet: "127.0.0.0/8", Gateway: "127.0.0.1" }] } },
  }),
  "GET /images/*/json": (containers, { name }) => {
    const { id, size } = containers.image(name);
    return { status: 200, body: { Id: id, Size: size, Parent: "" } };
  },
  "POST /images/create": (containers, { query }) => {
    containers.image(query.get("fromImage") ?? "");
    return { status: 200, body: {} };
  },
  "DELETE /images/*": async (containers, { name }) => {
    await containers.removeImage(name);
    return { status: 200, body: [] };
  },
  "POST /commit": async (containers, { query }) => {
    const id = await containers.commit(query.get("container") ?? "", query.get("repo") ?? "");
    return { status: 201, body: { Id: id } };
  },
  "POST /containers/create": (containers, { query, body }) => {
    const { Image: image, Cmd, Env, Labels, HostConfig } = Create.parse(JSON.parse(body));
    const [, sidecar = null] = /^container:(.+)$/.exec(HostConfig.NetworkMode ?? "") ?? [];
    const id = query.get("name") ?? "";
    containers.create(id, { image, argv: Cmd ?? [], env: parseEnv(Env), labels: Labels ?? {}, sidecar });
    return { status: 201, body: { Id: id } };
  },
  "GET /containers/*/json": (containers, { name }) => ({ status: 200, body: inspect(containers, name) }),
  "POST /containers/*/start": async (containers, { name }) => {
    await containers.start(name);
    return DONE;
  },
  "POST /containers/*/stop": async (containers, { name }) => {
    await containers.stop(name);
    return DONE;
  },
  "POST /containers/*/kill": (containers, { name, query }) => {
    containers.running(name).signal(query.get("signal") ?? "SIGKILL");
    return DONE;
  },
  "POST /containers/*/wait": async (containers, { name }) => {
    const { box } = containers.container(name);
    return { status: 200, body: { StatusCode: box === null ? 0 : await box.ended } };
  },
  "DELETE /containers/*": async (containers, { name }) => {
    await containers.remove(name);
    return DONE;
  },
  // The certificate of a gate for TLS, which there is none of.
  "PUT /containers/*/archive": () => ({ status: 200 }),
  "POST /containers/*/exec": (containers, { name, body }) => {
    const {
      Cmd: argv,
      Env,
      WorkingDir = null,
      AttachStdin,
      AttachStdout,
      AttachStderr,
    } = Exec.parse(JSON.parse(body));
    const stdio = {
      stdin: AttachStdin === true,
      stdout: AttachStdout === true,
      stderr: AttachStderr === true,
    };
    return {
      status: 201,
      body: { Id: containers.prepare(name, { argv, env: parseEnv(Env), folder: WorkingDir, ...stdio }) },
    };
  },
  "POST /exec/*/start": (containers, { name }) => {
    begin(containers, name);
    return { status: 200, body: {} };
  },
  "GET /exec/*/json": (containers, { name }) => {
    const { exitCode, pid } = containers.execution(name);
    return { status: 200, body: { Running: exitCode === null, ExitCode: exitCode, Pid: pid } };
  },
};

function inspect(containers: Containers, name: string) {
  const sidecar = containers.sidecar(name);
  if (sidecar !== undefined) {
    const { port } = sidecar;
    const State = { Status: port === null ? "exited" : "running", ExitCode: 0 };
    const Ports = port === null ? {} : { [SIDECAR_PORT]: [{ HostIp: "127.0.0.1", HostPort: String(port) }] };
    return { State, Config: { Image: "", Labels: {} }, NetworkSettings: { Ports } };
  }
  const { box, spec } = containers.container(name);
  const Status = box === null ? "created" : box.exitCode === null ? "running" : "exited";
  const Config = { Image: spec.image, Labels: spec.labels };
  return { State: { Status, ExitCode: box?.exitCode ?? 0 }, Config, NetworkSettings: { Ports: {} } };
}
