import { about, type Finding } from "./finding.ts";

const NOTICEABLE_MS = 5_000;
/** Provider tokens are dated back by ten minutes; Apple refuses those of the future, and those older than an hour. */
const HARMFUL_MS = 300_000;

const CURE = "have the clock kept by NTP, e.g. apt install systemd-timesyncd; timedatectl set-ntp true";

/** `ahead`: by how many ms this host's clock is ahead of the other. */
export function judgeClock(item: string, ahead: number): Finding {
  const { ok, warn, fail } = about(item);
  const text = `this host is ${(Math.abs(ahead) / 1_000).toFixed(1)} s ${ahead < 0 ? "behind" : "ahead"}`;
  if (Math.abs(ahead) >= HARMFUL_MS) return fail(text, CURE);
  return Math.abs(ahead) >= NOTICEABLE_MS ? warn(text, CURE) : ok("agree");
}
