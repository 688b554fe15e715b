import { type StreamElement } from "../stream/element-reader.ts";
import { STREAM_MANAGEMENT } from "../stream/namespaces.ts";

/**
 * XEP-0198 without resumption: a peer that asks hears how many of its stanzas have been taken, so that it notices a dead
 * connection in seconds and sends again what nobody took.
 */
export class Acknowledgements {
  #isEnabled = false;
  #taken = 0;

  get isEnabled(): boolean {
    return this.#isEnabled;
  }

  /** A stanza has been taken. The count wraps at 2^32 (XEP-0198 §4). */
  count(): void {
    if (this.#isEnabled) this.#taken = (this.#taken + 1) >>> 0;
  }

  answer(): string {
    return `<a xmlns='${STREAM_MANAGEMENT}' h='${this.#taken}'/>`;
  }

  /** What to send in return, if anything. */
  take({ local }: StreamElement): string | undefined {
    switch (local) {
      case "enable":
        this.#isEnabled = true;
        this.#taken = 0;
        return `<enabled xmlns='${STREAM_MANAGEMENT}'/>`;
      case "r":
        return this.answer();
      case "resume":
        return `<failed xmlns='${STREAM_MANAGEMENT}'/>`;
      default:
        return undefined;
    }
  }
}
