import { type Clock, millis, type Wakeup } from "@reveille/wakeup";

import { type DeviceMemory } from "./ports.ts";

/** Accepted first pushes of this time are told together. */
const TOGETHER = millis(20);
/** Bounds how long one call keeps Redis from others. */
const MOST_PER_CALL = 128;

/**
 * Tells admission of accepted first pushes, those of a moment in one call: nobody waits for it. If Redis is away, or the
 * worker dies, the devices stay new, which costs their domains a token each at their next publish.
 */
export class FirstPushes {
  readonly #memory: Pick<DeviceMemory, "noteFirst">;
  readonly #clock: Pick<Clock, "sleep">;
  readonly #hurry = new AbortController();
  #accepted: Wakeup[] = [];
  #telling: Promise<void> | undefined;

  constructor(memory: Pick<DeviceMemory, "noteFirst">, clock: Pick<Clock, "sleep">) {
    this.#memory = memory;
    this.#clock = clock;
  }

  note(wakeup: Wakeup): void {
    this.#accepted.push(wakeup);
    this.#telling ??= this.#tell();
  }

  /** Tells what is left at once. */
  async close(): Promise<void> {
    this.#hurry.abort();
    await this.#telling;
  }

  async #tell(): Promise<void> {
    while (this.#accepted.length > 0) {
      if (this.#accepted.length < MOST_PER_CALL) await this.#clock.sleep(TOGETHER, this.#hurry.signal);
      const accepted = this.#accepted.splice(0, MOST_PER_CALL);
      await this.#memory.noteFirst(accepted, true).catch(() => undefined);
    }
    this.#telling = undefined;
  }
}
