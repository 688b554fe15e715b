import { type Brand } from "./brand.ts";

/** The app a wakeup is for, as a publish names it (`pushModule`): 1 to 64 of `A-Z a-z 0-9 _ -`. */
export type PushModule = Brand<string, "PushModule">;

const MODULE_SHAPE = /^[A-Za-z0-9_-]{1,64}$/;

export const isPushModule = (text: string): text is PushModule => MODULE_SHAPE.test(text);
