import { join } from "node:path";

import { askRoles, systemClock } from "@reveille/runtime";
import { until } from "@reveille/testkit";
import { seconds } from "@reveille/wakeup";

import { type HostRoles } from "./host.ts";
import { type Part } from "./part.ts";
import { type Site } from "./site.ts";

const REPORT = { method: "GET", path: "/report", only: "ingress", within: seconds(2) } as const;

/**
 * Resolves when the ingress of a host has its own front and has heard itself there. A host is ready before: the other
 * host's ingress may have been the first at a front and gives way later.
 */
export async function settled({ folder }: Site, { name, ingress }: HostRoles): Promise<void> {
  await hasOwnFront(ingress);
  const runtimeDir = join(folder, name, "run/reveille");
  const hears = async (): Promise<true | undefined> => {
    const [role] = await askRoles(runtimeDir, REPORT, systemClock);
    const report = JSON.stringify(role?.answer ?? "");
    const isReady = report.includes(`"part":"component","health":{"kind":"ready"}`);
    return isReady && !/"part":"component","health":\{"kind":"(?!ready)/.test(report) ? true : undefined;
  };
  await until(hears, { what: `self-pings of the ingress of ${name}`, withinMs: 30_000 });
}

async function hasOwnFront({ program }: Part): Promise<void> {
  const isActive = (line: string): boolean =>
    line.includes(`"component":"xmpp://127.0.0.1:`) && line.includes(`"state":"active"`);
  await program.line(isActive, 15_000);
}
