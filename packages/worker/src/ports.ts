import { type DeviceMemory as RememberedDevices } from "@reveille/admission";
import { type Outcome, type Wakeup } from "@reveille/wakeup";

/** Asks the push service; never rejects. */
export type Send = (wakeup: Wakeup) => Promise<Outcome>;

/** What delivery tells admission about devices. All reject when Redis is away. */
export type DeviceMemory = Pick<
  RememberedDevices,
  "markDead" | "noteFirst" | "suspectDead" | "clearSuspicion" | "postpone"
>;
