import { join } from "node:path";

import { isPushModule } from "@reveille/wakeup";

export interface ConvertOptions {
  /** Where the secrets will stand. */
  readonly folder: string;
  /** What fpush's relative paths are relative to. */
  readonly certificates: string;
  /** Google's project of each module for FCM, as far as it is known. */
  readonly projects: ReadonlyMap<string, string>;
  readonly region?: string;
  readonly host?: string;
}

/** The name here; fpush's may be any text, and is an alias then. */
export const moduleName = (name: string): string =>
  isPushModule(name) ? name : name.replaceAll(/[^A-Za-z0-9_-]+/g, "_").slice(0, 64) || "module";

/** Our units read secrets from these folders. */
export const certificateFile = (module: string, { folder }: ConvertOptions): string =>
  join(folder, "apns", `${moduleName(module)}.p12`);

export const accountFile = (module: string, { folder }: ConvertOptions): string =>
  join(folder, "fcm", `${moduleName(module)}.json`);

export const passphraseFile = (module: string, { folder }: ConvertOptions): string =>
  join(folder, "apns", `${moduleName(module)}.passphrase`);
