import { readFileSync } from "node:fs";

import { Script } from "@reveille/wakeup";

/** A script of the Lua files beside this one, put together in this order. */
export const scriptOf = (...files: readonly string[]): Script =>
  new Script(...files.map((file) => readFileSync(new URL(file, import.meta.url), "utf8")));
