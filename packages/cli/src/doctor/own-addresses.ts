import { isIP } from "node:net";

import { about } from "./finding.ts";
import { isAlwaysThere, isAmong } from "./late-addresses.ts";
import { type Check } from "./doctor-context.ts";

/** The address of this host for the others of the region: without it the sidecar listens for nobody. */
export const checkOwnAddresses: Check = async ({ config, machine }) => {
  const { host } = config.sidecar.listen;
  if (isIP(host) === 0 || isAlwaysThere(host)) return [];
  const { ok, fail } = about(`address ${host} (sidecar.listen)`);
  const present = machine.addresses();
  if (isAmong(present, host)) return [ok("an interface of this machine has it")];
  return [
    fail(
      `no interface of this machine has it; there are ${present.filter((address) => !isAlwaysThere(address)).join(", ") || "none but loopback"}`,
      `give it to one (bring the tunnel up), or correct the address of ${config.host} in the plan and render anew`,
    ),
  ];
};
