import { text } from "node:stream/consumers";

import { type DeviceToken, parseDeviceToken } from "@reveille/wakeup";

/** The device token on standard input. Throws if there is none; what stood there instead is not repeated. */
export async function readToken(): Promise<DeviceToken> {
  if (process.stdin.isTTY) process.stderr.write("Device token, then Ctrl-D: ");
  const token = parseDeviceToken((await text(process.stdin)).trim());
  if (token !== undefined) return token;
  throw new Error(
    "no device token on standard input: 32 to 512 hex digits, for example: reveille token status < token.txt",
  );
}
