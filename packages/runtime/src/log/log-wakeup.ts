import {
  apnsIdOf,
  type EpochMillis,
  type Fingerprint,
  fingerprintOf,
  type PushModule,
  type SecretSource,
  type Wakeup,
} from "@reveille/wakeup";

/** What a log shows of a wakeup. The same fields in every process, so that their records can be joined. */
export interface WakeupRecord {
  readonly module: PushModule;
  readonly fingerprint?: Fingerprint;
  readonly urgent: boolean;
  /** Epoch milliseconds. */
  readonly receivedAt: EpochMillis;
  readonly apnsId: string;
}

export const wakeupRecord = (secret: SecretSource | undefined, wakeup: Wakeup): WakeupRecord => ({
  module: wakeup.module,
  ...(secret === undefined ? {} : { fingerprint: fingerprintOf(secret, wakeup.token) }),
  urgent: wakeup.urgent,
  receivedAt: wakeup.receivedAt,
  apnsId: apnsIdOf(wakeup),
});
