import { apnsIdOf, type PushModule } from "@reveille/wakeup";

import { type FcmModuleSettings } from "../module-settings.ts";
import { type Composer } from "../pool/passage.ts";
import { type Exchange } from "./exchange.ts";

const LARGEST_DATA = 4_096;
const LONGEST_TTL = 2_419_200;
const HEADERS = ["content-type", "application/json"];

/**
 * Gives what is sent for a wakeup: data only, since the app shows what it has fetched itself. Throws an Error that names
 * the module if Google would refuse its messages.
 */
export function messagesOf(module: PushModule, settings: FcmModuleSettings): Composer {
  const mistake = messageMistake(settings);
  if (mistake !== undefined) throw new Error(`module ${module}: ${mistake}`);
  const urgent = restOf(settings, "high");
  const quiet = restOf(settings, settings.quiet === "background" ? "normal" : "high");
  const path = pathOf(settings);
  return {
    for: (wakeup) => ({
      device: wakeup.token,
      id: apnsIdOf(wakeup),
      path,
      form: {
        headers: HEADERS,
        // A registration token has no character that JSON would write otherwise.
        body: Buffer.from(`{"message":{"token":"${wakeup.token}",${wakeup.urgent ? urgent : quiet}}}`),
      },
      ownHeaders: [],
    }),
    forNobody: () => {
      const { headers, body } = messageToNobody(settings);
      return { device: "nobody", id: "nobody", path, form: { headers, body }, ownHeaders: [] };
    },
  };
}

/** A message that Google looks at and sends to nobody: it is only to be validated, and no device has such a token. */
export const messageToNobody = (settings: FcmModuleSettings): Exchange => ({
  path: pathOf(settings),
  headers: HEADERS,
  body: Buffer.from(`{"validate_only":true,"message":{"token":"nobody",${restOf(settings, "high")}}}`),
});

const pathOf = ({ fcm }: FcmModuleSettings): string => `/v1/projects/${fcm.projectId}/messages:send`;

/** Why Google would refuse messages with these settings; `undefined` if it takes them. */
export function messageMistake({ custom }: FcmModuleSettings): string | undefined {
  const [strange] = Object.entries(custom).flatMap(([name, value]) =>
    typeof value === "string" ? [] : [name],
  );
  if (strange !== undefined) return `custom.${strange} is no text, and FCM takes nothing else`;
  const bytes = Buffer.byteLength(JSON.stringify(custom));
  return bytes > LARGEST_DATA ? `its data has ${bytes} bytes and FCM takes ${LARGEST_DATA}` : undefined;
}

/** All of a message that is the same for every wakeup. Only `high` wakes a device that dozes. */
function restOf({ custom, expireAfter, collapseId }: FcmModuleSettings, priority: "high" | "normal"): string {
  const ttl = `${Math.min(LONGEST_TTL, Math.floor(expireAfter / 1_000))}s`;
  const android = { priority, ttl, ...(collapseId === undefined ? {} : { collapse_key: collapseId }) };
  return JSON.stringify({ data: custom, android }).slice(1, -1);
}
