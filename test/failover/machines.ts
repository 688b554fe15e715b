import { type Network, type Machine, HUB_ADDRESS } from "./namespaces.ts";

/** Domains of the two users' servers, and of the load that stands beside their users. */
export const SENDERS = {
  prosody: { domain: "prosody.example", load: "load.prosody.example" },
  ejabberd: { domain: "ejabberd.example", load: "load.ejabberd.example" },
} as const;

export type SenderKind = keyof typeof SENDERS;

export interface Machines {
  readonly hub: Machine;
  readonly s1: Machine;
  readonly s2: Machine;
  readonly witness: Machine;
  readonly prosody: Machine;
  readonly ejabberd: Machine;
  readonly apns: Machine;
  /** The only host of another region. */
  readonly us: Machine;
}

export async function openMachines(network: Network): Promise<Machines> {
  return {
    hub: network.hub,
    s1: await network.machine("s1", "10.77.0.1"),
    s2: await network.machine("s2", "10.77.0.2"),
    witness: await network.machine("w", "10.77.0.3"),
    prosody: await network.machine("prosody", "10.77.0.21"),
    ejabberd: await network.machine("ejabberd", "10.77.0.22"),
    apns: await network.machine("apns", "10.77.0.31"),
    us: await network.machine("us", "10.77.0.41"),
  };
}

export const DNS_ADDRESS = HUB_ADDRESS;
