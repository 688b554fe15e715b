import { type ConfigChange, type Machine, machineChanges } from "@reveille/runtime";

import { type ReloadAnswer } from "./live-config.ts";
import { reasonOf } from "../terminal/reason-of.ts";
import { StartSecrets } from "../secrets/start-secrets.ts";

/**
 * The reload of a role that reads its configuration when it starts and never again: nothing is taken over, and what differs in
 * these `sections` of the file is named. The answer never rejects.
 */
export async function answeringReloads(
  first: Machine,
  load: () => Promise<Machine>,
  sections: readonly string[],
): Promise<() => Promise<ReloadAnswer>> {
  const secrets = await StartSecrets.of(first.config, sections);
  const isOwn = ({ key }: ConfigChange): boolean =>
    sections.some((section) => key === section || key.startsWith(`${section}.`));
  return async () => {
    try {
      const changes = machineChanges(first, await load()).filter(isOwn);
      return { kind: "reloaded", applied: [], forRestart: [...changes, ...(await secrets.changes())] };
    } catch (error) {
      return { kind: "refused", because: reasonOf(error) };
    }
  };
}

/** Every role works by these. */
export const COMMON_SECTIONS = ["region", "host", "runtimeDir", "log", "drainWithin"] as const;
