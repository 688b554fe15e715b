import { type Clock, type Millis } from "@reveille/wakeup";

/**
 * Lets one call per `pause` and topic through, with the number it held back before; for troubles that would
 * repeat thousands of times a second. Topics are texts of our own: they are kept for ever.
 */
export function sparing(clock: Pick<Clock, "monotonic">, pause: Millis) {
  const topics = new Map<string, { openAt: number; held: number }>();
  return (topic: string, say: (held: number) => void): void => {
    const state = topics.get(topic) ?? { openAt: 0, held: 0 };
    topics.set(topic, state);
    const now = clock.monotonic();
    if (now < state.openAt) {
      state.held += 1;
      return;
    }
    say(state.held);
    state.openAt = now + pause;
    state.held = 0;
  };
}
