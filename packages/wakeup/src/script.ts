import { hash } from "node:crypto";

/** What a script needs of a connection to Redis. */
export interface ScriptRunner {
  readonly evalsha: (sha: string, keys: number, ...args: (string | number)[]) => Promise<unknown>;
  readonly eval: (text: string, keys: number, ...args: (string | number)[]) => Promise<unknown>;
}

/** A Lua script, called by its SHA-1 so that its text crosses the wire once per Redis. */
export class Script {
  readonly #text: string;
  readonly #sha: string;

  /** `parts` are put together in this order. */
  constructor(...parts: readonly string[]) {
    this.#text = parts.join("\n");
    this.#sha = hash("sha1", this.#text, "hex");
  }

  /** Throws what Redis or the connection throws. */
  async run(
    redis: ScriptRunner,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    try {
      return await redis.evalsha(this.#sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
    }
    return redis.eval(this.#text, keys.length, ...keys, ...args);
  }
}

/** A Redis that was restarted or took over has not seen the script yet. */
const isUnknownScript = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith("NOSCRIPT");
