import {
  type Clock,
  type EpochMillis,
  type Millis,
  type Observe,
  type PushModule,
  type Region,
  type SecretSource,
} from "@reveille/wakeup";
import { type Redis } from "ioredis";

import { type SenderLimits } from "./domains/sender-limits.ts";
import { type NewDeviceLimits } from "./new-devices.ts";

export interface AdmissionOptions {
  /** With short time-outs: see `openProducerRedis` of the package `queue`. Stays the caller's. */
  readonly redis: Redis;
  readonly region: Region;
  readonly secret: SecretSource;
  /** Least time between two departures of a device, by module. */
  readonly windowOf: (module: PushModule) => Millis;
  /** How long a dead device is remembered; asked each time, as it may change. */
  readonly forgetDeadAfter: () => Millis;
  /** How many devices the push service may have us remember as dead, beyond which the oldest go; default 100,000. */
  readonly mostDeadDevices?: () => number;
  readonly clock: Clock;
  readonly observe: Observe;
  /** How long a BadDeviceToken waits for its confirmation; default 1 min. */
  readonly confirmDeadAfter?: Millis;
  /** Limits of sending domains; without them every domain may publish as much as it likes. */
  readonly limits?: Pick<SenderLimits, "paidBy"> | undefined;
  /** Budgets for devices that never had a push, asked each time; without them such devices are like others. */
  readonly newDevices?: () => NewDeviceLimits | undefined;
  /** Replaces Redis TIME in property tests. */
  readonly redisTime?: () => EpochMillis;
}
