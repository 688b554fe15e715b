import { type Backlog, type SettledPush } from "@reveille/admission";
import { failureReason, type Observe } from "@reveille/wakeup";

/**
 * Tells the backlog of each cleared push as soon as its outcome is known, those of one moment in one call: if the worker
 * dies before its batch is finished, only pushes without an outcome are repeated.
 */
export class Settlements {
  readonly #backlog: Pick<Backlog, "settle">;
  readonly #observe: Observe;
  #waiting: SettledPush[] = [];
  #collecting: Promise<void> | undefined;
  #underWay: Promise<void> = Promise.resolve();

  constructor(backlog: Pick<Backlog, "settle">, observe: Observe) {
    this.#backlog = backlog;
    this.#observe = observe;
  }

  /** Resolves once the backlog knows, or cannot be told because Redis is away. */
  async note(push: SettledPush): Promise<void> {
    this.#waiting.push(push);
    this.#collecting ??= this.#tell();
    return this.#collecting;
  }

  /** One call at a time: what is noted meanwhile goes into the next. */
  async #tell(): Promise<void> {
    await this.#underWay;
    await new Promise((resolve) => setImmediate(resolve));
    const pushes = this.#waiting;
    this.#waiting = [];
    this.#underWay = this.#collecting ?? Promise.resolve();
    this.#collecting = undefined;
    try {
      await this.#backlog.settle(pushes);
    } catch (error) {
      // The pushes are made all the same; what is not remembered costs their devices 25 s or another push.
      this.#observe({ kind: "batch-failed", because: failureReason(error) });
    }
  }
}
