import { randomBytes } from "node:crypto";

import { type DeviceToken, isDeviceToken } from "@reveille/wakeup";

/** Digits at the end of a token that hold the wakeup's index. */
export const INDEX_DIGITS = 8;
export const TOKEN_DIGITS = 64;

/** Where in a store of chance a wakeup finds its share: far from its neighbours, among 65,536 places. */
export const chanceAt = (index: number): number => Math.imul(index, 0x9e3779b1) >>> 16;

/** Enough for every `chanceAt`, as hex digits. */
export const makeChance = (): Buffer => Buffer.from(randomBytes(2 ** 15 + TOKEN_DIGITS).toString("hex"));

const chance = makeChance().toString("latin1");

/** A token like no other: random digits, then the index. */
export function tokenOf(index: number): DeviceToken {
  const at = chanceAt(index);
  const token =
    chance.slice(at, at + TOKEN_DIGITS - INDEX_DIGITS) + index.toString(16).padStart(INDEX_DIGITS, "0");
  if (isDeviceToken(token)) return token;
  throw new Error("the bench made a wrong token");
}

/** The index of the wakeup with this token or id. */
export const indexOf = (text: string): number => Number.parseInt(text.slice(-INDEX_DIGITS), 16);
