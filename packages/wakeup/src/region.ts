import { type Brand } from "./brand.ts";

/** The hosts behind one hostname: 1 to 32 lower-case letters, digits and dashes, e.g. `eu`. */
export type Region = Brand<string, "Region">;

const REGION_SHAPE = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;

export const isRegion = (text: string): text is Region => REGION_SHAPE.test(text);
