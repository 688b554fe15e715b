import { type Millis } from "@reveille/wakeup";

/** How one push module reaches its devices: the slice of the configuration that belongs to it. */
export type ModuleSettings = ApnsModuleSettings | FcmModuleSettings;

export interface ApnsModuleSettings {
  readonly kind: "apns";
  readonly apns: ApnsSettings;
  readonly alert: { readonly title: string; readonly body: string };
  readonly sound?: string | undefined;
  /** How long Apple keeps trying a device that is switched off; 0: one attempt, never stored. */
  readonly expireAfter: Millis;
  /** Static top-level keys of the payload, beside `aps`. */
  readonly custom: Readonly<Record<string, unknown>>;
  /** 10 (default): at once. 5: when it suits the device's battery. */
  readonly priority?: 5 | 10 | undefined;
  /**
   * How a wakeup nobody waits for (`urgent: false`) is sent. `background` is quiet, but Apple delivers only a
   * few per hour and none to an app that was force-quit. Default `alert`.
   */
  readonly quiet?: "alert" | "background" | undefined;
  /**
   * Displayed notifications with the same id replace each other (`apns-collapse-id`, 64 bytes at most). Absent:
   * only repeats of the same push do, so that no app loses a message from the screen.
   */
  readonly collapseId?: string | undefined;
}

/** Messages of FCM are data only: the app shows what it has fetched. */
export interface FcmModuleSettings {
  readonly kind: "fcm";
  readonly fcm: FcmSettings;
  /** How long Google keeps trying a device that is offline, 28 days at most; 0: one attempt. */
  readonly expireAfter: Millis;
  /** The data: texts only. */
  readonly custom: Readonly<Record<string, unknown>>;
  /** How a wakeup nobody waits for is sent: `background` leaves a dozing device asleep. Default `alert`. */
  readonly quiet?: "alert" | "background" | undefined;
  /** Messages with the same key replace each other while the device is offline. */
  readonly collapseId?: string | undefined;
}

/** The way to Google. Modules with the same project, endpoint and account share connections. */
export interface FcmSettings {
  readonly projectId: string;
  /** The JSON file of a service account that may send messages. */
  readonly serviceAccountFile: string;
  /** In place of Google's host and port 443, e.g. a simulator. */
  readonly endpoint?: URL | undefined;
  /** PEM file of certificate authorities to trust in place of Node's own. */
  readonly caFile?: string | undefined;
  /** HTTP proxy to go through (CONNECT). */
  readonly proxy?: URL | undefined;
  /** Password of the user that `proxy` names. */
  readonly proxyPasswordFile?: string | undefined;
}

/** The way to Apple. Modules with the same environment, endpoint and credential share connections. */
export interface ApnsSettings {
  /** Bundle id of the app. */
  readonly topic: string;
  readonly environment: "production" | "sandbox";
  readonly credential: CredentialSettings;
  /** In place of Apple's host and port 443, e.g. `https://api.push.apple.com:2197`, or a simulator. */
  readonly endpoint?: URL | undefined;
  /** PEM file of certificate authorities to trust in place of Node's own. */
  readonly caFile?: string | undefined;
  /** HTTP proxy to go through (CONNECT), e.g. `http://proxy.internal:3128`. */
  readonly proxy?: URL | undefined;
  /** Password of the user that `proxy` names. */
  readonly proxyPasswordFile?: string | undefined;
}

export type CredentialSettings =
  | {
      readonly kind: "token";
      /** The `.p8` file of developer.apple.com. */
      readonly keyFile: string;
      readonly keyId: string;
      readonly teamId: string;
    }
  | {
      readonly kind: "certificate";
      /** A `.p12` file, or a PEM file with the certificate (and with the key, unless `keyFile` has it). */
      readonly certFile: string;
      readonly keyFile?: string | undefined;
      /** Its first line opens the key. */
      readonly passphraseFile?: string | undefined;
    };
