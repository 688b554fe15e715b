import { generateKeyPairSync } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";

import { type ApnsSimulator, type ApnsSimulatorOptions, startApnsSimulator } from "@reveille/push-simulator";
import { aModule, aToken, aWakeup, ManualClock } from "@reveille/testkit";
import {
  type Clock,
  hours,
  millis,
  type Outcome,
  type OutcomeKind,
  type PushEvent,
  type PushModule,
  type Wakeup,
} from "@reveille/wakeup";

import { type ApnsModuleSettings } from "../module-settings.ts";
import { openPushServices, type PushServices, type PushServicesOptions } from "../push-services.ts";
import { aFolder, type TestFolder } from "./a-folder.ts";
import { realClock } from "./real-clock.ts";

/** Push services with one module, connected to a simulator that knows its key. */
export interface TestApns extends AsyncDisposable {
  readonly simulator: ApnsSimulator;
  readonly services: PushServices;
  readonly clock: ManualClock;
  readonly events: readonly PushEvent[];
  readonly settings: ApnsModuleSettings;
  readonly folder: TestFolder;
}

export interface TestApnsOptions {
  readonly simulator?: ApnsSimulatorOptions;
  readonly settings?: Partial<ApnsModuleSettings>;
  readonly apns?: Partial<ApnsModuleSettings["apns"]>;
  readonly services?: Partial<PushServicesOptions>;
  /** Further modules on the same route: their topics by name. */
  readonly topics?: Readonly<Record<string, string>>;
  /** Default: the manual one. The simulator has the machine's unless told otherwise. */
  readonly clock?: Clock;
}

export const KEY_ID = "ABC1234567";
export const TEAM_ID = "TEAM123456";

/** Name only what the test is about. */
export async function anApns(options: TestApnsOptions = {}): Promise<TestApns> {
  await using opened = new AsyncDisposableStack();
  const key = aKey();
  const keys = [{ keyId: KEY_ID, teamId: TEAM_ID, publicKey: key.publicKey }];
  const clock = new ManualClock(realClock.now());
  const simulator = opened.use(await startApnsSimulator({ keys, ...options.simulator }));
  const folder = opened.use(await aFolder({ "key.p8": key.privateKey, "ca.pem": simulator.ca }));
  const settings = aModuleWith(
    {
      credential: { kind: "token", keyFile: folder.file("key.p8"), keyId: KEY_ID, teamId: TEAM_ID },
      endpoint: new URL(simulator.url),
      caFile: folder.file("ca.pem"),
      ...options.apns,
    },
    options.settings,
  );
  const events: PushEvent[] = [];
  const services = await openPushServices({
    modules: modulesOf(settings, options.topics ?? {}),
    clock: options.clock ?? clock,
    observe: (event) => void events.push(event),
    random: () => 0.5,
    ...options.services,
  });
  opened.defer(() => whileTimePasses(clock, services[Symbol.asyncDispose]()));
  const resources = opened.move();
  return {
    simulator,
    services,
    clock,
    events,
    settings,
    folder,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

function modulesOf(
  settings: ApnsModuleSettings,
  topics: Readonly<Record<string, string>>,
): ReadonlyMap<PushModule, ApnsModuleSettings> {
  const modules = new Map([[aModule(), settings]]);
  for (const [name, topic] of Object.entries(topics)) {
    modules.set(aModule(name), { ...settings, apns: { ...settings.apns, topic } });
  }
  return modules;
}

/** Wakeups for so many devices. `series` keeps two lots apart. */
export const manyWakeups = (count: number, series = ""): Wakeup[] =>
  Array.from({ length: count }, (_, index) => aWakeup({ token: aToken(`${series} ${index}`) }));

/** How many outcomes of each kind. */
export function countKinds(outcomes: readonly Outcome[]): Partial<Record<OutcomeKind, number>> {
  const counts: Partial<Record<OutcomeKind, number>> = {};
  for (const { kind } of outcomes) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** Lets manual time run, ten times as fast as real time, until `work` is done. */
export async function whileTimePasses<T>(clock: ManualClock, work: PromiseLike<T>): Promise<T> {
  const done = new AbortController();
  const finish = (): void => done.abort();
  work.then(finish, finish);
  while (!done.signal.aborted) {
    await clock.advance(millis(250));
    // Sockets live in real time and need some.
    await pause(25);
  }
  return work;
}

/** A key pair as Apple hands out: the private half as the text of a `.p8` file. */
export function aKey(): { readonly privateKey: string; readonly publicKey: string } {
  return generateKeyPairSync("ec", {
    namedCurve: "prime256v1",
    privateKeyEncoding: { format: "pem", type: "pkcs8" },
    publicKeyEncoding: { format: "pem", type: "spki" },
  });
}

export function aModuleWith(
  apns: Pick<ApnsModuleSettings["apns"], "credential"> & Partial<ApnsModuleSettings["apns"]>,
  settings: Partial<ApnsModuleSettings> = {},
): ApnsModuleSettings {
  return {
    kind: "apns",
    apns: { topic: "G7YU7X7KRJ.SworIM", environment: "production", ...apns },
    alert: { title: "New Message", body: "New Message?" },
    sound: "default",
    expireAfter: hours(24),
    custom: {},
    ...settings,
  };
}
