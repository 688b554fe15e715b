import { join } from "node:path";

import { askRoles, systemClock } from "@reveille/runtime";
import { until } from "@reveille/testkit";
import { seconds } from "@reveille/wakeup";

import { type HostRoles } from "./host.ts";
import { type Part } from "./part.ts";
import { type Site } from "./site.ts";

const REPORT = { method: "GET", path: "/report", only: "ingress", within: seconds(2) } as const;

/**
 * Resolves when every ingress of a host has its own front and has heard itself there. A host is ready before: the other
 * host's ingress may have been the first at a front and gives way later, and an ejabberd may have lost an ingress' first
 * self-ping at a place that was still empty, so that it connects anew.
 */
export async function settled({ folder }: Site, { name, ingresses }: HostRoles): Promise<void> {
  for (const ingress of ingresses) await hasOwnFront(ingress);
  const runtimeDir = join(folder, name, "run/reveille");
  const allHear = async (): Promise<true | undefined> => {
    const roles = await askRoles(runtimeDir, REPORT, systemClock);
    const hearing = roles.filter(({ answer }) =>
      JSON.stringify(answer).includes(`"part":"component","health":{"kind":"ready"}`),
    );
    return hearing.length === ingresses.length ? true : undefined;
  };
  await until(allHear, { what: `self-pings of all ingresses of ${name}`, withinMs: 30_000 });
}

async function hasOwnFront({ program }: Part): Promise<void> {
  const isActive = (line: string): boolean =>
    line.includes(`"component":"xmpp://127.0.0.1:`) && line.includes(`"state":"active"`);
  await program.line(isActive, 15_000);
}
