/** Where a process that pushes finds the far end, and its credential. */
export interface DeliverySettings {
  readonly port: number;
  readonly caFile: string;
  readonly keyFile: string;
}

export const isDeliverySettings = (value: unknown): value is DeliverySettings =>
  typeof value === "object" && value !== null && "port" in value && "caFile" in value && "keyFile" in value;
