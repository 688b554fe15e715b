import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { type ApnsSimulator, type ApnsSimulatorOptions, startApnsSimulator } from "@reveille/apns-simulator";
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

import { type ModuleSettings } from "../module-settings.ts";
import { openPushServices, type PushServices, type PushServicesOptions } from "../push-services.ts";
import { realClock } from "./real-clock.ts";

/** Push services with one module, connected to a simulator that knows its key. */
export interface TestApns extends AsyncDisposable {
  readonly simulator: ApnsSimulator;
  readonly services: PushServices;
  readonly clock: ManualClock;
  readonly events: readonly PushEvent[];
  readonly settings: ModuleSettings;
  readonly folder: string;
}

export interface TestApnsOptions {
  readonly simulator?: ApnsSimulatorOptions;
  readonly settings?: Partial<ModuleSettings>;
  readonly apns?: Partial<ModuleSettings["apns"]>;
  readonly services?: Partial<PushServicesOptions>;
  /** Default: the manual one. The simulator has the machine's unless told otherwise. */
  readonly clock?: Clock;
}

export const KEY_ID = "ABC1234567";
export const TEAM_ID = "TEAM123456";

/** Name only what the test is about. */
export async function anApns(options: TestApnsOptions = {}): Promise<TestApns> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "reveille-apns-"));
  opened.defer(() => rm(folder, { recursive: true }));
  const key = aKey();
  const keys = [{ keyId: KEY_ID, teamId: TEAM_ID, publicKey: key.publicKey }];
  const clock = new ManualClock(realClock.now());
  const simulator = opened.use(await startApnsSimulator({ keys, ...options.simulator }));
  const keyFile = join(folder, "key.p8");
  const caFile = join(folder, "ca.pem");
  await Promise.all([writeFile(keyFile, key.privateKey, { mode: 0o600 }), writeFile(caFile, simulator.ca)]);
  const settings = aModuleWith(
    {
      credential: { kind: "token", keyFile, keyId: KEY_ID, teamId: TEAM_ID },
      endpoint: new URL(simulator.url),
      caFile,
      ...options.apns,
    },
    options.settings,
  );
  const events: PushEvent[] = [];
  const services = await openPushServices({
    modules: new Map<PushModule, ModuleSettings>([[aModule(), settings]]),
    clock: options.clock ?? clock,
    observe: (event) => void events.push(event),
    random: () => 0.5,
    ...options.services,
  });
  opened.defer(() => whileTimePasses(clock, disposed(services)));
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

async function disposed(services: PushServices): Promise<void> {
  await services[Symbol.asyncDispose]();
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
export async function whileTimePasses<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  void work.finally(() => done.abort());
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
  apns: Pick<ModuleSettings["apns"], "credential"> & Partial<ModuleSettings["apns"]>,
  settings: Partial<ModuleSettings> = {},
): ModuleSettings {
  return {
    apns: { topic: "G7YU7X7KRJ.SworIM", environment: "production", ...apns },
    alert: { title: "New Message", body: "New Message?" },
    sound: "default",
    expireAfter: hours(24),
    custom: {},
    ...settings,
  };
}
