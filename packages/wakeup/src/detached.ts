/**
 * A copy of `text` for what outlives a publish. V8 makes parts of a string point into the whole, so that the name of a
 * domain alone would keep the local part and the device token that it came with in memory.
 */
export const detached = (text: string): string => Buffer.from(text).toString();
