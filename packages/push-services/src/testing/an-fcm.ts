import { type FcmSimulator, type FcmSimulatorOptions, startFcmSimulator } from "@reveille/push-simulator";
import { aModule, anFcmToken, aWakeup, ManualClock } from "@reveille/testkit";
import { hours, type PushEvent, type Wakeup } from "@reveille/wakeup";

import { type FcmModuleSettings } from "../module-settings.ts";
import { openPushServices, type PushServices } from "../push-services.ts";
import { aFolder, type TestFolder } from "./a-folder.ts";
import { whileTimePasses } from "./an-apns.ts";
import { realClock } from "./real-clock.ts";

/** Push services with one module of FCM, connected to a simulator that knows its service account. */
export interface TestFcm extends AsyncDisposable {
  readonly simulator: FcmSimulator;
  readonly services: PushServices;
  /** The time of both. */
  readonly clock: ManualClock;
  readonly events: readonly PushEvent[];
  readonly folder: TestFolder;
}

export const ACCOUNT = "account.json";

/** Name only what the test is about. */
export async function anFcm(
  settings: Partial<FcmModuleSettings> = {},
  options: FcmSimulatorOptions = {},
): Promise<TestFcm> {
  await using opened = new AsyncDisposableStack();
  const clock = new ManualClock(realClock.now());
  const simulator = opened.use(await startFcmSimulator({ clock, ...options }));
  const folder = opened.use(await aFolder({ [ACCOUNT]: simulator.serviceAccount, "ca.pem": simulator.ca }));
  const events: PushEvent[] = [];
  const fcm = {
    projectId: simulator.projectId,
    serviceAccountFile: folder.file(ACCOUNT),
    endpoint: new URL(simulator.url),
    caFile: folder.file("ca.pem"),
  };
  const services = await openPushServices({
    modules: new Map([[aModule(), { kind: "fcm", fcm, expireAfter: hours(24), custom: {}, ...settings }]]),
    clock,
    observe: (event) => void events.push(event),
    random: () => 0.5,
  });
  opened.defer(() => whileTimePasses(clock, services[Symbol.asyncDispose]()));
  const resources = opened.move();
  return {
    simulator,
    services,
    clock,
    events,
    folder,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** Wakeups for so many Android devices. */
export const androidWakeups = (count: number): Wakeup[] =>
  Array.from({ length: count }, (_, index) => aWakeup({ token: anFcmToken(index) }));
