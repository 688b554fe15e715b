/** What a region holds that was filled before the load; bytes of Redis' memory, all included. */
export interface Filling {
  readonly bytesPerDevice: number;
  readonly bytesPerQueued: number;
}

export function fillingOf(value: unknown): Filling {
  if (
    typeof value === "object" &&
    value !== null &&
    "bytesPerDevice" in value &&
    "bytesPerQueued" in value &&
    typeof value.bytesPerDevice === "number" &&
    typeof value.bytesPerQueued === "number"
  ) {
    return { bytesPerDevice: value.bytesPerDevice, bytesPerQueued: value.bytesPerQueued };
  }
  throw new Error("the filler did not say what it has filled");
}
