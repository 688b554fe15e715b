/** A component slot on one front, as configured. */
export interface ComponentOptions {
  /** `xmpp://host:port`; 5347 if no port is given. */
  readonly service: string;
  /** Our hostname in the XMPP network. */
  readonly domain: string;
  /** The secret shared with the front (XEP-0114 §3). */
  readonly secret: string;
  /** How many streams to open: ejabberd balances a domain over `component_number` of them, connected or not. Default: 1. */
  readonly connections?: number;
}

/** A component slot with its address taken apart. */
export interface Front {
  /** For events: no secret in it. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly domain: string;
  readonly secret: string;
}

type Slot = Omit<ComponentOptions, "secret">;

/** One stream of a component slot, among the others of its host. */
export interface ComponentSlot<Component> {
  readonly component: Component;
  /** For events, logs and metrics: the service, with the hostname or a number where a service has several streams. */
  readonly name: string;
  /** Whether it is at the front of this host, as the first one is; at any other we stand by. */
  readonly isOwn: boolean;
}

/** In the order of the components. Throws as `frontOf` does. */
export function slotsOf<Component extends Slot>(
  components: readonly Component[],
): readonly ComponentSlot<Component>[] {
  const [first] = components;
  return components.flatMap((component) => {
    const { service, domain, connections = 1 } = component;
    const isShared = components.filter((each) => each.service === service).length > 1;
    const name = isShared ? `${domain} at ${service}` : service;
    const isOwn = first !== undefined && isAtFrontOf(first, component);
    return Array.from({ length: connections }, (_, index) => ({
      component,
      name: index === 0 ? name : `${name} (${index + 1})`,
      isOwn,
    }));
  });
}

/** With several hostnames Prosody has one port for all of them, and ejabberd one for each. */
function isAtFrontOf(first: Slot, { service, domain }: Slot): boolean {
  const address = (of: string): string => frontOf({ service: of, domain, secret: "" }).host;
  return (
    service === first.service || (domain !== first.domain && address(service) === address(first.service))
  );
}

/** Throws if the service is not `xmpp://host` or `xmpp://host:port`. */
export function frontOf({ service, domain, secret }: ComponentOptions): Front {
  const url = URL.canParse(service) ? new URL(service) : undefined;
  if (url === undefined || url.protocol !== "xmpp:" || url.hostname === "") {
    throw new Error(`component service is not xmpp://host:port: ${service}`);
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return { name: service, host, port: url.port === "" ? 5347 : Number(url.port), domain, secret };
}
