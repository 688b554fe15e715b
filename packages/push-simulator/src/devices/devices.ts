import { type SimulatorClock } from "../clock.ts";
import { type Push } from "../ledger.ts";
import { type Refusal, refuse } from "../refusal.ts";
import { type Environment } from "../validation/provider-token.ts";
import { bundleIdOf } from "../validation/topic.ts";
import { Inbox } from "./inbox.ts";
import { Buckets, type Throttle } from "./throttle.ts";

export type DeathReason = "Unregistered" | "ExpiredToken";

/** Details of a registered device; all optional. */
export interface DeviceDetails {
  /** Topics (or bundle ids) the token was issued for; any if left out. */
  readonly topics?: readonly string[];
  /** The environment the token was issued in; the simulator's if left out. */
  readonly environment?: Environment;
}

/** The devices behind the tokens. A call about an unknown token makes it known. */
export interface Devices {
  /** Makes the token valid (again), with these details. */
  readonly register: (token: string, details?: DeviceDetails) => void;
  /** From now on 410 with this reason and timestamp (milliseconds since 1970, default now). */
  readonly kill: (token: string, reason?: DeathReason, timestamp?: number) => void;
  /** From now on 400 BadDeviceToken. */
  readonly bad: (token: string) => void;
  /** Unreachable: pushes are accepted, and the newest of each app is stored. */
  readonly offline: (token: string) => void;
  /** Reachable again: what was stored and has not expired arrives. */
  readonly online: (token: string) => void;
  /** The notifications that have reached the device, at most the newest hundred. */
  readonly shownOn: (token: string) => readonly Push[];
  /** What is stored for an offline device. */
  readonly storedFor: (token: string) => readonly Push[];
  /** Forgets the token and all about it. */
  readonly forget: (token: string) => void;
}

/** What is fixed for all devices. */
export interface DeviceRules {
  readonly environment: Environment;
  /** `accept`: tokens nobody has registered are fine, but for one of nothing but f. `refuse`: they are BadDeviceToken. */
  readonly unknownTokens: "accept" | "refuse";
  /** The only length of tokens, in bytes; any if left out. */
  readonly tokenBytes?: number;
}

interface Device {
  details: DeviceDetails;
  refusal: Refusal | undefined;
  online: boolean;
  readonly inbox: Inbox;
}

const HEX_BYTES = /^(?:[0-9a-f]{2})+$/;
/** No device is ever given it; people ask about it to see whether their credential is accepted. */
const NOBODY = /^f+$/;

/** The devices as the simulator asks them. */
export class DeviceRegistry implements Devices {
  readonly #rules: DeviceRules;
  readonly #clock: SimulatorClock;
  readonly #devices = new Map<string, Device>();
  readonly #buckets = new Buckets();

  constructor(rules: DeviceRules, clock: SimulatorClock) {
    this.#rules = rules;
    this.#clock = clock;
  }

  readonly register = (token: string, details: DeviceDetails = {}): void => {
    Object.assign(this.#device(token), { details, refusal: undefined });
  };

  readonly kill = (token: string, reason: DeathReason = "Unregistered", timestamp?: number): void => {
    this.#device(token).refusal = { ...refuse(reason), timestamp: timestamp ?? this.#clock.now() };
  };

  readonly bad = (token: string): void => {
    this.#device(token).refusal = refuse("BadDeviceToken");
  };

  readonly offline = (token: string): void => {
    this.#device(token).online = false;
  };

  readonly online = (token: string): void => {
    const device = this.#device(token);
    device.online = true;
    device.inbox.flush(this.#clock.now());
  };

  readonly shownOn = (token: string): readonly Push[] => this.#known(token)?.inbox.shown ?? [];

  readonly storedFor = (token: string): readonly Push[] => this.#known(token)?.inbox.stored ?? [];

  readonly forget = (token: string): void => {
    this.#devices.delete(token.toLowerCase());
  };

  /** Step 7 of validation: the token's shape, its environment, its life and its topic. */
  refusalFor(token: string, topic: string): Refusal | undefined {
    const { tokenBytes, unknownTokens, environment } = this.#rules;
    if (!HEX_BYTES.test(token)) return refuse("BadDeviceToken");
    if (tokenBytes !== undefined && token.length !== tokenBytes * 2) return refuse("BadDeviceToken");
    const device = this.#devices.get(token);
    if (device === undefined) {
      return unknownTokens === "accept" && !NOBODY.test(token) ? undefined : refuse("BadDeviceToken");
    }
    if ((device.details.environment ?? environment) !== environment) return refuse("BadDeviceToken");
    if (device.refusal !== undefined) return device.refusal;
    const { topics } = device.details;
    const fits = topics?.some((one) => one === topic || one === bundleIdOf(topic)) ?? true;
    return fits ? undefined : refuse("DeviceTokenNotForTopic");
  }

  /** Step 8: the throttle of the device. */
  throttled(token: string, throttle: Throttle): Refusal | undefined {
    return this.#buckets.take(token, throttle, this.#clock.now()) ? undefined : refuse("TooManyRequests");
  }

  /** Apple has taken a push. */
  deliver(push: Push): void {
    const { inbox, online } = this.#device(push.token);
    if (online) inbox.show(push);
    else inbox.store(push, this.#clock.now());
  }

  clear(): void {
    this.#devices.clear();
    this.#buckets.clear();
  }

  #known(token: string): Device | undefined {
    return this.#devices.get(token.toLowerCase());
  }

  #device(token: string): Device {
    const key = token.toLowerCase();
    const known = this.#devices.get(key);
    if (known !== undefined) return known;
    const device = { details: {}, refusal: undefined, online: true, inbox: new Inbox() };
    this.#devices.set(key, device);
    return device;
  }
}
