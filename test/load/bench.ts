import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Driver, type DriverSettings, startDriver } from "./driver.ts";
import { type ProcessSettings, type Running, startProcess } from "./processes.ts";

/** What a stage builds its run in: a folder, and processes that end with it. */
export class Bench implements AsyncDisposable {
  readonly folder: string;
  readonly #stack = new AsyncDisposableStack();
  readonly #running: Running[] = [];
  readonly #nodeOptions: readonly string[];

  private constructor(folder: string, nodeOptions: readonly string[]) {
    this.folder = folder;
    this.#nodeOptions = nodeOptions;
  }

  /** `nodeOptions` go to every process of ours, e.g. `--cpu-prof`. */
  static async open(nodeOptions: readonly string[]): Promise<Bench> {
    const folder = await mkdtemp(join(tmpdir(), "reveille-bench-"));
    const bench = new Bench(folder, nodeOptions);
    bench.#stack.defer(async () => rm(folder, { recursive: true, force: true }));
    return bench;
  }

  /** All processes, in the order in which they were started. */
  get running(): readonly Running[] {
    return this.#running;
  }

  /** Starts a process of the bench itself: a double, or a part of the path with a double's ports. */
  driver({
    name,
    file,
    settings,
    nodeOptions = [],
  }: Pick<DriverSettings, "name" | "file" | "settings"> &
    Partial<Pick<DriverSettings, "nodeOptions">>): Driver {
    const folder = this.#openFolder();
    const options = [...this.#nodeOptions, ...nodeOptions];
    return this.#own(startDriver({ name, folder, file, settings, nodeOptions: options }));
  }

  /** Starts a role by its file. */
  node(name: string, args: readonly string[]): Running {
    return this.process({ name, command: process.execPath, args: [...this.#nodeOptions, ...args] });
  }

  process(settings: Omit<ProcessSettings, "folder">): Running {
    return this.#own(startProcess({ ...settings, folder: this.#openFolder() }));
  }

  #own<T extends Running>(running: T): T {
    this.#running.push(running);
    return this.#stack.use(running);
  }

  /** A run that was given up must not start anything more. */
  #openFolder(): string {
    if (this.#stack.disposed) throw new Error("the run is over");
    return this.folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
