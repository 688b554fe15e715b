import { readFile } from "node:fs/promises";

import { type ModulesFile, type Plan } from "@reveille/runtime";
import mustache from "mustache";

import { canaryView, hostView, witnessView, zoneView } from "./view.ts";

const TEMPLATES = new URL("../../../../deploy/templates/", import.meta.url);

/** A configuration file of one machine, or the zone of the region. */
export interface RenderedFile {
  /** Below the folder for all of them, e.g. `s1.eu.push.example/haproxy.cfg`. */
  readonly path: string;
  readonly text: string;
}

interface Order {
  readonly path: string;
  /** Those of its parts, in order. */
  readonly templates: readonly string[];
  readonly view: object;
}

/** Every file of a region. The templates in `deploy/templates` are their only source. */
export async function filesOf(plan: Plan, modules: ModulesFile): Promise<readonly RenderedFile[]> {
  const zone = { path: `${plan.hostname}.zone`, templates: ["region/zone"], view: zoneView(plan) };
  const orders: readonly Order[] = [
    ...hostOrders(plan, modules),
    ...witnessOrders(plan),
    ...canaryOrders(plan),
    zone,
  ];
  return Promise.all(orders.map(async (order) => ({ path: order.path, text: await textOf(order) })));
}

async function textOf({ templates, view }: Order): Promise<string> {
  const parts = templates.map(async (name) => readFile(new URL(`${name}.mustache`, TEMPLATES), "utf8"));
  return mustache.render((await Promise.all(parts)).join("\n"), view, undefined, AS_IT_IS);
}

/** The files are no HTML: nothing needs escaping, since the plan lets no odd characters in. */
const AS_IT_IS = { escape: String };

/** Configuration files of the servers in front of the ingress; `reveille front` reads that of all roles. */
export const FRONT_FILES: Readonly<Record<Plan["front"], readonly string[]>> = {
  reveille: [],
  prosody: ["prosody.cfg.lua", "haproxy.cfg"],
  ejabberd: ["ejabberd.yml", "haproxy.cfg"],
};

function hostOrders(plan: Plan, modules: ModulesFile): readonly Order[] {
  return plan.hosts.flatMap((host) => {
    const view = { ...hostView(plan, host, modules), ...canaryView(plan) };
    const files = ["reveille.yaml", ...FRONT_FILES[plan.front], "redis.conf"];
    const sections = [
      ...(plan.front === "reveille" ? ["host/front-section.yaml"] : []),
      ...canarySection(plan, host.name),
    ];
    const orders = files.map((file) => ({
      path: `${host.name}/${file}`,
      templates: [`host/${file}`, ...(file === "reveille.yaml" ? sections : [])],
      view,
    }));
    return plan.witness === undefined ? orders : [...orders, sentinelOrder(host.name, view)];
  });
}

const witnessOrders = (plan: Plan): readonly Order[] =>
  plan.witness === undefined ? [] : [sentinelOrder(plan.witness.name, witnessView(plan, plan.witness))];

const sentinelOrder = (machine: string, view: object): Order => ({
  path: `${machine}/sentinel.conf`,
  templates: ["sentinel.conf"],
  view,
});

const canarySection = ({ canary }: Plan, host: string): readonly string[] =>
  canary?.host === host ? ["canary/section.yaml"] : [];

/** For whoever runs the front in another place. It may be of either kind, whatever ours is. */
const canaryOrders = (plan: Plan): readonly Order[] =>
  plan.canary === undefined
    ? []
    : ["prosody.cfg.lua", "ejabberd.yml"].map((file) => ({
        path: `canary-front/${file}`,
        templates: [`canary/${file}`],
        view: canaryView(plan),
      }));
