/** What the engine has: containers, each a box or the sidecar of one, images that were made of boxes, and commands that run in them. */
import { randomUUID } from "node:crypto";
import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Box, type Command, type Variables } from "./box.ts";
import { Sidecar } from "./sidecar.ts";

/** A SIGTERM that nobody heeds is followed by a SIGKILL. */
const STOP_MS = 1_000;
/** Those that may still be asked about: a job that is followed makes one every other second. */
const EXECUTIONS_MAX = 1_000;
/** The images that every installation has: this machine's own programs stand in for them. https://developers.cloudflare.com/containers/ */
const GIVEN = /debian-trixie|trixie-slim/;

export interface Spec {
  readonly image: string;
  readonly argv: readonly string[];
  readonly env: Variables;
  readonly labels: Readonly<Record<string, string>>;
  /** Whose network it shares, and who therefore leads it out. */
  readonly sidecar: string | null;
}

export interface Container {
  readonly spec: Spec;
  /** Null before its first start. */
  box: Box | null;
}

export interface Execution {
  readonly container: string;
  readonly command: Command;
  pid: number;
  exitCode: number | null;
}

/** What cannot be done, as Docker answers it. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export class Containers {
  private readonly folder: string;
  private readonly containers = new Map<string, Container>();
  private readonly sidecars = new Map<string, Sidecar>();
  private readonly images = new Map<string, { id: string; file: string; size: number }>();
  private readonly executions = new Map<string, Execution>();

  /** @param folder where images lie. */
  constructor(folder: string) {
    this.folder = folder;
  }

  create(name: string, spec: Spec): void {
    if (this.containers.has(name) || this.sidecars.has(name)) throw new Refusal(409, `${name} is there`);
    if (spec.sidecar === null) {
      this.sidecars.set(name, new Sidecar());
      return;
    }
    this.image(spec.image);
    this.containers.set(name, { spec, box: null });
  }

  /** Throws a Refusal where there is none. */
  container(name: string): Container {
    const found = this.containers.get(name);
    if (found === undefined) throw new Refusal(404, `No such container: ${name}`);
    return found;
  }

  sidecar(name: string): Sidecar | undefined {
    return this.sidecars.get(name);
  }

  async start(name: string): Promise<void> {
    const sidecar = this.sidecars.get(name);
    if (sidecar !== undefined) return sidecar.start();
    const container = this.container(name);
    if (container.box !== null && container.box.exitCode === null) return;
    const { spec } = container;
    container.box = await Box.start(spec.argv, spec.env, this.image(spec.image).file);
    await this.sidecars.get(spec.sidecar ?? "")?.lead(container.box);
  }

  /** The box of one that runs. Throws a Refusal where it does not. */
  running(name: string): Box {
    const { box } = this.container(name);
    if (box === null || box.exitCode !== null) throw new Refusal(409, `Container ${name} is not running`);
    return box;
  }

  async stop(name: string): Promise<void> {
    const sidecar = this.sidecars.get(name);
    if (sidecar !== undefined) {
      sidecar.stop();
      return;
    }
    const { box } = this.container(name);
    if (box === null || box.exitCode !== null) return;
    box.signal("SIGTERM");
    const timer = setTimeout(() => void box.kill(), STOP_MS);
    await box.ended;
    clearTimeout(timer);
  }

  async remove(name: string): Promise<void> {
    this.sidecars.get(name)?.stop();
    await this.containers.get(name)?.box?.kill();
    if (!this.sidecars.delete(name) && !this.containers.delete(name))
      throw new Refusal(404, `No such container: ${name}`);
  }

  /** The image; with no file for the one that is given. Throws a Refusal where there is none. */
  image(name: string): { id: string; file: string | null; size: number } {
    const found = this.images.get(name) ?? this.images.get(name.replace(/:latest$/, ""));
    if (found !== undefined) return found;
    if (GIVEN.test(name)) return { id: "sha256:given", file: null, size: 1 };
    throw new Refusal(404, `No such image: ${name}`);
  }

  /** Makes an image of what a container is now. @returns its id. */
  async commit(name: string, image: string): Promise<string> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const id = randomUUID();
    const file = join(this.folder, `${id}.tar`);
    await this.running(name).save(file);
    const { size } = await stat(file);
    this.images.set(image, { id: `sha256:${id}`, file, size });
    return `sha256:${id}`;
  }

  async removeImage(name: string): Promise<void> {
    const { file } = this.image(name);
    if (file !== null) await rm(file, { force: true });
    this.images.delete(name);
  }

  async forgetImages(): Promise<void> {
    await Promise.all([...this.images.keys()].map((name) => this.removeImage(name)));
  }

  prepare(container: string, command: Command): string {
    this.running(container);
    const [oldest] = this.executions.keys();
    if (oldest !== undefined && this.executions.size >= EXECUTIONS_MAX) this.executions.delete(oldest);
    const id = randomUUID();
    this.executions.set(id, { container, command, pid: 0, exitCode: null });
    return id;
  }

  /** Throws a Refusal where there is none. */
  execution(id: string): Execution {
    const found = this.executions.get(id);
    if (found === undefined) throw new Refusal(404, `No such exec instance: ${id}`);
    return found;
  }

  /** Their containers stay, and have ended. */
  async killAll(): Promise<void> {
    const boxes = [...this.containers.values()].flatMap(({ box }) => box ?? []);
    await Promise.all(boxes.map((box) => box.kill()));
  }

  /** Ends all that runs, and takes away what was kept. */
  async clear(): Promise<void> {
    const names = [...this.containers.keys(), ...this.sidecars.keys()];
    await Promise.all(names.map((name) => this.remove(name)));
  }
}
