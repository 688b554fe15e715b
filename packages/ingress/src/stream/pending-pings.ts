import { type Stanza } from "../stanza.ts";

/** What became of a ping to ourselves. */
export type PingReply = "pong" | "bounce" | "none";

/** The pings to ourselves that are not answered yet, by id. */
export class PendingPings {
  readonly #resolves = new Map<string, (reply: PingReply) => void>();

  /**
   * Whether the stanza is what became of a ping of ours. A bounce (RFC 6120 §8.3) says that the front has no way to us,
   * though it talks to us.
   */
  hears({ type, id }: Stanza): boolean {
    const resolve = id === undefined ? undefined : this.#resolves.get(id);
    if (resolve === undefined || (type !== "result" && type !== "error")) return false;
    resolve(type === "result" ? "pong" : "bounce");
    return true;
  }

  /** Calls `resolve` with what becomes of the ping of this id, until `forget`. */
  expect(id: string, resolve: (reply: PingReply) => void): void {
    this.#resolves.set(id, resolve);
  }

  forget(id: string): void {
    this.#resolves.delete(id);
  }
}
