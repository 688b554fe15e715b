import { type Connection, type ConnectionView } from "./connection.ts";

/** The open connections, and what is left of those that were. */
export class Connections {
  readonly #open = new Map<number, Connection>();
  #views = new Map<number, ConnectionView>();

  /** Open and closed ones, oldest first. */
  get views(): readonly ConnectionView[] {
    return [...this.#views.values()];
  }

  add(connection: Connection): void {
    this.#open.set(connection.id, connection);
    this.#views.set(connection.id, connection);
  }

  /** Keeps the facts and lets go of the session. */
  closed(connection: Connection): void {
    this.#open.delete(connection.id);
    if (this.#views.has(connection.id)) this.#views.set(connection.id, connection.toJSON());
  }

  /** The open connection of that id, or all of them. */
  which(id?: number): readonly Connection[] {
    if (id === undefined) return [...this.#open.values()];
    const one = this.#open.get(id);
    return one === undefined ? [] : [one];
  }

  forgetClosed(): void {
    this.#views = new Map(this.#open);
  }
}
