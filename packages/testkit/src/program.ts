import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { type Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

export interface ProgramOptions {
  /** What people call it in messages, e.g. `front`. */
  readonly name: string;
  readonly command: string;
  readonly args?: readonly string[];
  readonly folder?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Everything it prints goes here too. */
  readonly logFile?: string;
  /** Debian package that brings the command, for the message when it is missing. */
  readonly debianPackage?: string;
  /** Asks the process whether it works, and rejects until it does; without it, it works as soon as it runs. See `ask`. */
  readonly ready?: (pid: number) => Promise<unknown>;
}

/** One line a program printed, and when it reached us (ms since 1970). */
export interface LogLine {
  readonly at: number;
  readonly text: string;
}

/** Debian leaves these out of the PATH of ordinary users, and keeps dnsmasq there. */
const SYSTEM_FOLDERS = ["/usr/sbin", "/sbin"];

const withSystemFolders = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...env,
  PATH: [env["PATH"] ?? "/usr/bin:/bin", ...SYSTEM_FOLDERS].join(":"),
});

/** How long a program may take to get ready, or to say something, in ms. Plenty, since machines of tests are busy. */
const READY_MS = 60_000;

/** How long after one answer a program that is not ready is asked again, in ms. */
const ASK_EVERY_MS = 10;

/** How long a program may take to end after SIGTERM before it is killed. */
const GRACE_MS = 10_000;

/** More lines than any test looks back on. */
const LINES_KEPT = 200_000;

/**
 * A program of the machine, run beside us in a process group of its own, so that Ctrl-C reaches us alone and we
 * choose the order in which things stop. When we die, however it happens, the kernel kills it (PR_SET_PDEATHSIG).
 */
export class Program implements AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string | undefined;
  /** Resolves with how it ended, e.g. `exit code 1`; never rejects. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  readonly #log: WriteStream | undefined;
  readonly #debianPackage: string | undefined;
  readonly #listeners = new Set<(line: LogLine) => void>();
  #lines: LogLine[] = [];

  private constructor(options: ProgramOptions, child: ChildProcess, pid: number) {
    this.name = options.name;
    this.pid = pid;
    this.logFile = options.logFile;
    this.#debianPackage = options.debianPackage;
    this.#child = child;
    this.#log =
      options.logFile === undefined ? undefined : createWriteStream(options.logFile, { flags: "a" });
    const { stdout, stderr } = child;
    if (stdout !== null) this.#follow(stdout);
    if (stderr !== null) this.#follow(stderr);
    this.ended = this.#end();
  }

  /** Resolves when it is ready. Throws, with the program ended, if it does not get there. */
  static async start(options: ProgramOptions): Promise<Program> {
    const program = await Program.#launch(options);
    if (options.ready === undefined) return program;
    try {
      await program.#readyBy(options.ready);
      return program;
    } catch (error) {
      await program.kill();
      throw error;
    }
  }

  static async #launch(options: ProgramOptions): Promise<Program> {
    const args = ["--pdeathsig", "KILL", "--", options.command, ...(options.args ?? [])];
    const child = spawn("setpriv", args, {
      cwd: options.folder,
      env: withSystemFolders(options.env ?? process.env),
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    await once(child, "spawn");
    if (child.pid === undefined) throw new Error(`${options.name} has no process id`);
    return new Program(options, child, child.pid);
  }

  /** Throws when it ends before it is ready, or takes too long. */
  async #readyBy(ready: (pid: number) => Promise<unknown>): Promise<void> {
    const deadline = Date.now() + READY_MS;
    for (;;) {
      const trouble = await ready(this.pid).then(
        () => undefined,
        (error: unknown) => String(error),
      );
      // Whoever answered was another one, if it has ended.
      if (!this.running) throw this.#trouble(`ended with ${await this.ended}`);
      if (trouble === undefined) return;
      if (Date.now() > deadline)
        throw this.#trouble(`was not ready within ${READY_MS / 1_000} s: ${trouble}`);
      await sleep(ASK_EVERY_MS);
    }
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What it printed so far, oldest first. */
  get lines(): readonly LogLine[] {
    return this.#lines;
  }

  /** Calls `listener` with every further line until the returned function is called. */
  onLine(listener: (line: LogLine) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The first line, printed already or to come, that `matches`. Throws when the program ends before, or after `withinMs`. */
  async line(matches: (text: string) => boolean, withinMs = READY_MS): Promise<LogLine> {
    const known = this.#lines.find(({ text }) => matches(text));
    if (known !== undefined) return known;
    const found = Promise.withResolvers<LogLine>();
    const stopListening = this.onLine((line) => {
      if (matches(line.text)) found.resolve(line);
    });
    const timer = setTimeout(
      () => found.reject(this.#trouble(`did not say what was waited for within ${withinMs / 1_000} s`)),
      withinMs,
    );
    void this.ended.then((how) => found.reject(this.#trouble(`ended with ${how}`)));
    try {
      return await found.promise;
    } finally {
      clearTimeout(timer);
      stopListening();
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it for good at once (SIGKILL). */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.ended;
  }

  /** Asks it to end (SIGTERM), and kills it when it does not within the grace. */
  async stop(graceMs = GRACE_MS): Promise<void> {
    this.signal("SIGTERM");
    const timer = setTimeout(() => this.signal("SIGKILL"), graceMs);
    await this.ended;
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #follow(output: Readable): void {
    createInterface({ input: output }).on("line", (text) => {
      const line = { at: Date.now(), text };
      this.#lines.push(line);
      if (this.#lines.length > LINES_KEPT) this.#lines = this.#lines.slice(LINES_KEPT / 2);
      this.#log?.write(`${text}\n`);
      for (const listener of this.#listeners) listener(line);
    });
  }

  async #end(): Promise<string> {
    await once(this.#child, "close");
    this.#log?.end();
    const { exitCode, signalCode } = this.#child;
    return signalCode === null ? `exit code ${exitCode}` : `signal ${signalCode}`;
  }

  #trouble(what: string): Error {
    const last = this.#lines
      .slice(-10)
      .map(({ text }) => `  ${text}`)
      .join("\n");
    const where = this.logFile === undefined ? "" : `; its log: ${this.logFile}`;
    const missing = last.includes("failed to execute") && this.#debianPackage !== undefined;
    const hint = missing ? `; is the Debian package ${this.#debianPackage} installed?` : "";
    return new Error(`${this.name} ${what}${hint}${where}\n${last}`);
  }
}
