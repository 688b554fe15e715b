import { type Program } from "@reveille/testkit";

/** A program that a test ends, stops and starts again. Disposing kills it. */
export class Part implements AsyncDisposable {
  readonly #launch: () => Promise<Program>;
  #program: Program;

  private constructor(launch: () => Promise<Program>, program: Program) {
    this.#launch = launch;
    this.#program = program;
  }

  /** Resolves when it works; throws if it does not get there. */
  static async start(launch: () => Promise<Program>): Promise<Part> {
    return new Part(launch, await launch());
  }

  get program(): Program {
    return this.#program;
  }

  async kill(): Promise<void> {
    await this.#program.kill();
  }

  /** It hangs: it neither ends nor answers. */
  freeze(): void {
    this.#program.signal("SIGSTOP");
  }

  thaw(): void {
    this.#program.signal("SIGCONT");
  }

  /** SIGTERM, and waits for the end. */
  async stop(): Promise<void> {
    await this.#program.stop(30_000);
  }

  async restart(): Promise<void> {
    await this.#program.kill();
    this.#program = await this.#launch();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.kill();
  }
}
