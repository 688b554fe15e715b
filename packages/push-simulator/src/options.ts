import { type SimulatorClock } from "./clock.ts";
import { type DeviceRules } from "./devices/devices.ts";
import { type Behaviour } from "./settings.ts";
import { type Environment, type ProviderKey } from "./validation/provider-token.ts";

/** All optional: without any, it is a production Apple on a free port of 127.0.0.1 that trusts every bearer. */
export interface ApnsSimulatorOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Key and certificate (chain) as PEM. Without, both are made at the start. */
  readonly tls?: { readonly key: string; readonly cert: string; readonly ca?: string };
  /** Names and addresses of the made certificate, in place of localhost, 127.0.0.1 and ::1. */
  readonly names?: readonly string[];
  /** Default production. */
  readonly environment?: Environment;
  /** Keys whose tokens are accepted. Without, any well-formed ES256 token is. */
  readonly keys?: readonly ProviderKey[];
  /** Topics that exist, for keys without topics of their own; any if left out. */
  readonly topics?: readonly string[];
  /** Ask for client certificates and accept those of this authority (PEM). */
  readonly clientCa?: string;
  /** Whose new tokens count for TooManyProviderTokenUpdates: default the connection's, as documented. */
  readonly limitTokensOf?: "connection" | "key";
  /** Default accept. */
  readonly unknownTokens?: DeviceRules["unknownTokens"];
  /** The only length of device tokens, in bytes; any if left out. */
  readonly tokenBytes?: number;
  /** What can also be changed later. */
  readonly behaviour?: Partial<Behaviour>;
  /** Most pushes the ledger records, at 1.6 kB each; default 100,000. */
  readonly ledgerLimit?: number;
  /** Seed of all chance; default 1. */
  readonly seed?: number;
  /** Default the machine's. */
  readonly clock?: SimulatorClock;
}
