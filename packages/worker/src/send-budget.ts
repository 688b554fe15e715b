/** Counts wakeups between the queue and the push services: they need room there too, and take some time to arrive. */
export class SendBudget {
  readonly #room: () => number;
  #onTheirWay = 0;

  /** `room`: how many more wakeups the push services can send at once. */
  constructor(room: () => number) {
    this.#room = room;
  }

  /** How many more wakeups may be taken from the queue. */
  readonly room = (): number => this.#room() - this.#onTheirWay;

  /** So many wakeups were taken; each is `arrived` when it is sent, the rest at the end, however that comes. */
  async taking<T>(wakeups: number, deliver: (arrived: () => void) => Promise<T>): Promise<T> {
    let left = wakeups;
    this.#onTheirWay += wakeups;
    try {
      return await deliver(() => {
        left -= 1;
        this.#onTheirWay -= 1;
      });
    } finally {
      this.#onTheirWay -= left;
    }
  }
}
