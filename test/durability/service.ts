import { type Program } from "@reveille/testkit";

/**
 * A process under a supervisor, as systemd runs the roles: however it ends, it is started again at once.
 * Disposing ends it for good.
 */
export class Service implements AsyncDisposable {
  readonly name: string;
  /** How it ended without having been killed by us; a start that failed counts. */
  readonly mishaps: string[] = [];
  readonly #launch: () => Promise<Program>;
  #program: Program | undefined;
  #isKilled = false;
  #isOver = false;
  #running: Promise<void> = Promise.resolve();

  private constructor(name: string, launch: () => Promise<Program>) {
    this.name = name;
    this.#launch = launch;
  }

  /** Resolves when it works for the first time; throws if it does not get there. */
  static async start(name: string, launch: () => Promise<Program>): Promise<Service> {
    const service = new Service(name, launch);
    service.#running = service.#supervise(await launch());
    return service;
  }

  /** Whether it has started and was not killed since. */
  get isUp(): boolean {
    return this.#program?.running === true && !this.#isKilled;
  }

  /** Of the process that runs now; 0 while none does. */
  get pid(): number {
    return this.#program?.pid ?? 0;
  }

  /** SIGKILL; the supervisor does the rest. */
  kill(): void {
    this.#isKilled = true;
    this.#program?.signal("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    this.#program?.signal("SIGKILL");
    await this.#running;
  }

  async #supervise(first: Program): Promise<void> {
    let next: Program | undefined = first;
    while (next !== undefined) {
      this.#program = next;
      this.#isKilled = false;
      // A disposal while it was starting found no process to end.
      if (this.#isOver) next.signal("SIGKILL");
      const how = await next.ended;
      if (!this.#isKilled && !this.#isOver) this.mishaps.push(`${this.name} ended with ${how}`);
      next = await this.#restart();
    }
  }

  async #restart(): Promise<Program | undefined> {
    while (!this.#isOver) {
      try {
        return await this.#launch();
      } catch (error) {
        this.mishaps.push(`${this.name} did not start: ${String(error)}`);
      }
    }
    return undefined;
  }
}
