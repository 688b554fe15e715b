import { readFile } from "node:fs/promises";

import { about, type Finding } from "./finding.ts";
import { type Check } from "./doctor-context.ts";

/** An ingress needs few files; Node raises the soft limit to the hard one by itself. */
const PLENTY = 8_192;
const TOO_FEW = 1_024;

/** How many files the running roles may open; without any, this shell. */
export const checkFileLimits: Check = async ({ roles }) => {
  const running = roles.map(({ role, pid }) => ({ who: `${role} ${pid}`, pid: String(pid) }));
  const asked = running.length > 0 ? running : [{ who: "this shell", pid: "self" }];
  return Promise.all(
    asked.map(async ({ who, pid }) => {
      const item = `open files of ${who}`;
      try {
        return judgeFileLimit(item, await readFile(`/proc/${pid}/limits`, "utf8"));
      } catch {
        return about(item).skipped("its limits are not visible from here");
      }
    }),
  );
};

/** `limits`: what `/proc/<pid>/limits` says. */
export function judgeFileLimit(item: string, limits: string): Finding {
  const { ok, warn, fail, skipped } = about(item);
  const [, hard] = /^Max open files\s+\S+\s+(\S+)/m.exec(limits) ?? [];
  if (hard === undefined) return skipped("this kernel does not say");
  const count = hard === "unlimited" ? Number.POSITIVE_INFINITY : Number(hard);
  const cure = "LimitNOFILE=65536 in the unit, or ulimit -n 65536";
  if (count < TOO_FEW) return fail(`${hard} at most: connections will fail`, cure);
  return count < PLENTY ? warn(`${hard} at most`, cure) : ok(`${hard} at most`);
}
