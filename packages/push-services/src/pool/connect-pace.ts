import { type Millis, millis, minutes, seconds } from "@reveille/wakeup";

const FIRST_PAUSE = seconds(1);
const LONGEST_PAUSE = seconds(60);

/** Apple may take more for an attack and shut us out ("Troubleshooting push notifications"). */
const MOST_PER_MINUTE = 30;

/** When a pool may open its next connection. Times are monotonic. */
export class ConnectPace {
  readonly #random: () => number;
  #failures = 0;
  #notBefore = millis(0);
  #recent: Millis[] = [];

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Rounds of attempts that have failed since the last success. */
  get failures(): number {
    return this.#failures;
  }

  /** How long until the next attempt; 0: now. */
  pause(now: Millis): Millis {
    this.#recent = this.#recent.filter((at) => now - at < minutes(1));
    const [oldest] = this.#recent;
    const full = this.#recent.length >= MOST_PER_MINUTE && oldest !== undefined ? oldest + minutes(1) : 0;
    return millis(Math.max(0, this.#notBefore - now, full - now));
  }

  attempted(now: Millis): void {
    this.#recent.push(now);
  }

  succeeded(): void {
    this.#failures = 0;
  }

  /** Attempts that fail together count once. The pause is chosen by full jitter. */
  failed(now: Millis): void {
    if (now < this.#notBefore) return;
    this.#failures += 1;
    const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (this.#failures - 1));
    this.#notBefore = millis(now + this.#random() * longest);
  }
}
