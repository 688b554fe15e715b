import { randomBytes } from "node:crypto";

import { until } from "@reveille/testkit";

import { followMessage, type MessageTrace } from "./follow-message.ts";
import { DEFAULT_MODULE } from "./host-config.ts";
import { type Region } from "./start-region.ts";

/** Two people of one server: Juliet's phone sleeps, Romeo writes to her. */
export interface Scene extends AsyncDisposable {
  /** Romeo writes; resolves when everything that follows at once has happened. */
  readonly write: () => Promise<MessageTrace>;
  /** Resolves when APNs has accepted one more push for Juliet's phone. */
  readonly anotherPush: () => Promise<void>;
}

/** Longer than a window. */
const TRAILING_MS = 60_000;

/** Registers Juliet's phone under a token of its own and logs Romeo in. */
export async function openScene(region: Region): Promise<Scene> {
  const { sender, apns, hostname } = region;
  const token = randomBytes(32).toString("hex");
  await sender.enablePush("juliet", {
    service: hostname,
    node: token,
    options: { pushModule: DEFAULT_MODULE },
  });
  const romeo = await sender.login("romeo");
  let lastWritten: Promise<unknown> = Promise.resolve();
  const write = async (): Promise<MessageTrace> =>
    followMessage(region, {
      from: romeo,
      to: `juliet@${sender.domain}`,
      body: "Wherefore art thou asleep?",
      token,
    });
  const accepted = async (): Promise<number> =>
    (await apns.pushesTo(token)).filter(({ status }) => status === 200).length;
  return {
    // One after the other, since publishes carry nothing that tells the messages apart.
    write: async () => {
      const written = lastWritten.then(write);
      lastWritten = written.catch(() => undefined);
      return written;
    },
    anotherPush: async () => {
      const before = await accepted();
      await until(async () => ((await accepted()) > before ? true : undefined), {
        what: "the push at the end of the window",
        withinMs: TRAILING_MS,
        everyMs: 50,
      });
    },
    [Symbol.asyncDispose]: async () => romeo[Symbol.asyncDispose](),
  };
}
