import { type DeviceMemory as RememberedDevices } from "@reveille/admission";
import { type Outcome, type Wakeup } from "@reveille/wakeup";

/** Asks the push service; never rejects. */
export type Send = (wakeup: Wakeup) => Promise<Outcome>;

/** What a worker tells admission about devices. All reject when Redis is away. */
export type DeviceMemory = Pick<
  RememberedDevices,
  "markDead" | "noteFirst" | "suspectDead" | "clearSuspicion" | "postpone"
>;

/** What delivery tells about devices. */
export interface DeliveryMemory extends DeviceMemory {
  /** The first push to this device was accepted. */
  readonly noteAccepted: (wakeup: Wakeup) => void;
}
