import { type Arrival } from "../durability/findings.ts";
import { type Site } from "./site.ts";
import { socketOf } from "./surroundings.ts";
import { askOverUnix, type HttpAnswer } from "./unix-http.ts";

/** The push requests that reached Apple, as its machine tells them. */
export class Pushes {
  readonly #socket: string;
  readonly #seen: Arrival[] = [];

  constructor(site: Site) {
    this.#socket = socketOf(site, "apns-control");
  }

  /** All until now, in the order of arrival. */
  async all(): Promise<readonly Arrival[]> {
    for (;;) {
      const { status, body } = await this.#ask(`/_sim/log?from=${this.#seen.length}`);
      const page: unknown = JSON.parse(body);
      const pushes = fieldOf(page, "pushes");
      if (status !== 200 || !Array.isArray(pushes))
        throw new Error(`the simulator answers ${status}: ${body}`);
      if (pushes.length === 0) return this.#seen;
      this.#seen.push(...pushes.map(arrivalOf));
    }
  }

  /** The relay into the namespace cuts an answer off now and then. */
  async #ask(path: string): Promise<HttpAnswer> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await askOverUnix(this.#socket, path);
      } catch (error) {
        if (attempt === MOST_ATTEMPTS) throw error;
      }
    }
  }
}

const MOST_ATTEMPTS = 3;

const arrivalOf = (push: unknown): Arrival => ({
  token: String(fieldOf(push, "token")),
  apnsId: String(fieldOf(push, "apnsId")),
  receivedAt: Number(fieldOf(push, "receivedAt")),
});

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
