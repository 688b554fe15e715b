import { hash } from "node:crypto";
import { readFileSync } from "node:fs";

import { type Redis } from "ioredis";

const read = (file: string): string => readFileSync(new URL(file, import.meta.url), "utf8");

/** A Lua script, called by its SHA-1 so that its text crosses the wire once per Redis. */
export class Script {
  readonly #text: string;
  readonly #sha: string;

  /** `files` lie beside this one and are put together in this order. */
  constructor(...files: readonly string[]) {
    this.#text = files.map(read).join("\n");
    this.#sha = hash("sha1", this.#text, "hex");
  }

  /** Throws what Redis or the connection throws. */
  async run(redis: Redis, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
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
