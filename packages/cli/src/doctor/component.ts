import { type ComponentTrial, slotsOf, tryComponent } from "@reveille/ingress";
import { type AskedRole, readSecret } from "@reveille/runtime";

import { reasonOf } from "../terminal/reason-of.ts";
import { about, type Finding } from "./finding.ts";
import { networkCure } from "./network-cure.ts";
import { type Check } from "./doctor-context.ts";

/**
 * Handshake and self-ping with each front. The own front is not disturbed while an ingress of this host says that it
 * has the loop.
 */
export const checkComponents: Check = async ({ config, clock, roles }) => {
  const { components } = config.ingress;
  const own = new Set(slotsOf(components).flatMap(({ component, isOwn }) => (isOwn ? [component] : [])));
  return Promise.all(
    components.map(async (component, index) => {
      const { service, domain, secretFile, connections } = component;
      const item = `component ${domain} at ${service}`;
      if (own.has(component) && roles.some(hasLoop)) {
        return about(item).ok("the running ingress calls it ready: it has the place, or stands by");
      }
      try {
        const { text } = await readSecret(secretFile, `ingress.components.${index}.secretFile`);
        return judgeTrial(
          item,
          service,
          await tryComponent({ service, domain, secret: text, connections }, clock),
        );
      } catch (error) {
        return about(item).skipped(`not tried: ${reasonOf(error)}`);
      }
    }),
  );
};

/** Whether this role is an ingress whose report calls each component ready. */
function hasLoop({ role, answer }: AskedRole): boolean {
  if (role !== "ingress" || answer.kind !== "answered") return false;
  const components = partsOf(answer.body).filter(({ part }) => part === "component");
  return components.length > 0 && components.every(({ state }) => state === "ready");
}

interface Part {
  readonly part: string;
  readonly state: string;
  readonly because: string;
}

/** The parts of a role's report; none of what is no report. */
export function partsOf(body: unknown): readonly Part[] {
  if (typeof body !== "object" || body === null || !("parts" in body) || !Array.isArray(body.parts))
    return [];
  const parts: readonly unknown[] = body.parts;
  return parts.flatMap((entry) => {
    if (typeof entry !== "object" || entry === null || !("part" in entry) || !("health" in entry)) return [];
    const { part, health } = entry;
    if (typeof part !== "string" || typeof health !== "object" || health === null) return [];
    const state = "kind" in health && typeof health.kind === "string" ? health.kind : "unknown";
    const because = "because" in health && typeof health.because === "string" ? health.because : "";
    return [{ part, state, because }];
  });
}

export function judgeTrial(item: string, service: string, trial: ComponentTrial): Finding {
  const { ok, fail } = about(item);
  switch (trial.kind) {
    case "loop":
      return ok("handshake accepted, and a ping to ourselves came back");
    case "conflict":
      return ok("the place is taken, as it is while an ingress runs");
    case "no-loop":
      return fail(
        "handshake accepted, but a ping to ourselves did not come back",
        "look into the front's log: does it route stanzas for this domain to the component?",
      );
    case "refused":
      return fail(`refused: ${trial.because}`, cureOf(trial.because, service));
  }
}

function cureOf(because: string, service: string): string {
  switch (because) {
    case "not-authorized":
      return "put the same secret into secretFile and into component_secret of the front";
    case "host-unknown":
      return "declare the component with this domain in the front's configuration";
    case "ECONNREFUSED":
    case "the front does not answer":
      return "start the front, and let it listen for components there (component_ports, component_interfaces)";
    default:
      return networkCure(because, { to: new URL(service).host }) ?? "look into the front's log";
  }
}
