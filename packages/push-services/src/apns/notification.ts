// By this path, since the package's own entry loads its transport and 14 MB beside it.
import Notification from "@parse/node-apn/lib/notification/index.js";
import { apnsIdOf, type Clock, type EpochMillis, later, type PushModule } from "@reveille/wakeup";

import { type ApnsModuleSettings } from "../module-settings.ts";
import { type Composer, type Form, type Push } from "../pool/passage.ts";

const LONGEST_COLLAPSE_ID = 64;
const HEADER_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** The variants of a module's push, serialised once. */
export interface Forms {
  readonly urgent: Form;
  readonly quiet: Form;
}

/** Apple, "Generating a remote notification": 4 KB for all push types but VoIP. */
const LARGEST_PAYLOAD = 4_096;

/** Throws an Error that names the module if Apple would refuse its pushes. */
export function formsOf(module: PushModule, settings: ApnsModuleSettings): Forms {
  const mistake = headerMistake(settings) ?? notificationMistake(settings);
  if (mistake !== undefined) throw new Error(`module ${module}: ${mistake}`);
  const urgent = formOf(alert(settings));
  return { urgent, quiet: settings.quiet === "background" ? formOf(background(settings)) : urgent };
}

/** Why Apple would refuse the payload of these settings; `undefined` if it takes it. */
export function notificationMistake(settings: ApnsModuleSettings): string | undefined {
  if (Object.hasOwn(settings.custom, "aps"))
    return "custom has a key aps, which alert and sound already fill";
  // The alert is the longest form.
  const bytes = Buffer.byteLength(alert(settings).compile());
  return bytes > LARGEST_PAYLOAD
    ? `its payload has ${bytes} bytes and Apple takes ${LARGEST_PAYLOAD}`
    : undefined;
}

function headerMistake({ apns, collapseId = "none" }: ApnsModuleSettings): string | undefined {
  if (!HEADER_VALUE.test(apns.topic)) return `apns-topic is no header value: ${apns.topic}`;
  return HEADER_VALUE.test(collapseId) && collapseId.length <= LONGEST_COLLAPSE_ID
    ? undefined
    : `collapseId is not of 1 to ${LONGEST_COLLAPSE_ID} ASCII characters`;
}

/**
 * Runs the app's notification service extension: Apple wants `mutable-content` and a visible alert for that
 * ("Modifying content in newly delivered notifications").
 */
function alert(settings: ApnsModuleSettings): Notification {
  const notification = new Notification();
  notification.topic = settings.apns.topic;
  notification.pushType = "alert";
  notification.priority = settings.priority ?? 10;
  notification.alert = { title: settings.alert.title, body: settings.alert.body };
  if (settings.sound !== undefined) notification.sound = settings.sound;
  notification.mutableContent = true;
  notification.payload = settings.custom;
  return notification;
}

/** Priority 5 is the only one Apple allows here ("Pushing background updates to your app"). */
function background(settings: ApnsModuleSettings): Notification {
  const notification = new Notification();
  notification.topic = settings.apns.topic;
  notification.pushType = "background";
  notification.priority = 5;
  notification.contentAvailable = true;
  notification.payload = settings.custom;
  return notification;
}

function formOf(notification: Notification): Form {
  return {
    headers: Object.entries(notification.headers()).flatMap(([name, value]) => [name, String(value)]),
    body: Buffer.from(notification.compile()),
  };
}

/** No device has it, so an accepted credential is answered `BadDeviceToken`. */
const NOBODY = "f".repeat(64);
const ID_FOR_NOBODY = "00000000-0000-8000-a000-000000000000";

/** A push that cannot arrive: the answer shows whether Apple takes credential, topic and payload. */
export const pushToNobody = (
  { urgent: form }: Forms,
  settings: ApnsModuleSettings,
  now: EpochMillis,
): Omit<Push, "settle"> => ({
  device: NOBODY,
  id: ID_FOR_NOBODY,
  path: pathOf(NOBODY),
  form,
  ownHeaders: ownHeadersOf(ID_FOR_NOBODY, settings, now),
});

const pathOf = (token: string): string => `/3/device/${token}`;

/** Gives what is sent for a wakeup. Throws an Error that names the module if Apple would refuse its pushes. */
export function notificationsOf(module: PushModule, settings: ApnsModuleSettings, clock: Clock): Composer {
  const forms = formsOf(module, settings);
  return {
    for: (wakeup) => {
      const id = apnsIdOf(wakeup);
      return {
        device: wakeup.token,
        id,
        path: pathOf(wakeup.token),
        form: wakeup.urgent ? forms.urgent : forms.quiet,
        ownHeaders: ownHeadersOf(id, settings, clock.now()),
      };
    },
    forNobody: () => pushToNobody(forms, settings, clock.now()),
  };
}

/** The headers that differ from push to push; names and values in turn. `id`: the wakeup's apns-id. */
export function ownHeadersOf(id: string, settings: ApnsModuleSettings, now: EpochMillis): string[] {
  const expiration = expirationOf(settings, now);
  return ["apns-id", id, "apns-expiration", expiration, "apns-collapse-id", settings.collapseId ?? id];
}

/** Seconds since 1970, not from now: a small number would be a date in 1970 and the push never stored. */
function expirationOf(settings: ApnsModuleSettings, now: EpochMillis): string {
  if (settings.expireAfter === 0) return "0";
  return String(Math.floor(later(now, settings.expireAfter) / 1_000));
}
