import { notificationMistake } from "./apns/notification.ts";
import { messageMistake } from "./fcm/message.ts";
import { type ModuleSettings } from "./module-settings.ts";

/** Why the push service would refuse the payload of these settings; `undefined` if it takes it. */
export const payloadMistake = (settings: ModuleSettings): string | undefined =>
  settings.kind === "apns" ? notificationMistake(settings) : messageMistake(settings);
