import { aToken } from "@reveille/testkit";

import { MODULE } from "../durability/push-path.ts";
import { type SenderKind, SENDERS } from "./machines.ts";
import { registerPush } from "./person.ts";
import { HOSTNAME, type Region } from "./region.ts";
import { socketOf } from "./surroundings.ts";

const PER_SENDER = 5;

/** Somebody with a phone that sleeps; their server publishes by its stock module. */
export interface Person {
  readonly kind: SenderKind;
  readonly user: string;
  readonly token: string;
}

export async function registerPeople({ site }: Region): Promise<readonly Person[]> {
  const people = (["prosody", "ejabberd"] as const).flatMap((kind) =>
    Array.from({ length: PER_SENDER }, (_, index) => {
      const user = `u${index + 1}`;
      return { kind, user, token: aToken(`${kind} ${user}`) };
    }),
  );
  for (const { kind, user, token } of people) {
    await registerPush({
      socket: socketOf(site, `${kind}-clients`),
      domain: SENDERS[kind].domain,
      user,
      token,
      service: HOSTNAME,
      module: MODULE,
    });
  }
  return people;
}

/** A message they find when they wake up. */
export function writeTo({ loads }: Region, { kind, user }: Person): void {
  const { domain, load } = SENDERS[kind];
  loads[kind].send(
    `<message type='chat' from='${load}' to='${user}@${domain}'><body>Are you there?</body></message>`,
  );
}
