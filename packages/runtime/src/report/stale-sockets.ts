import { readdir, rm } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";

import { parseSocketName } from "@reveille/wakeup";

/**
 * Removes the sockets that a killed role left behind: those where nobody listens. Process ids would not tell,
 * since containers that share the folder have ids of their own each.
 */
export async function removeStaleSockets(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => parseSocketName(name) !== undefined);
  await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      if (await refuses(path)) await rm(path, { force: true });
    }),
  );
}

/** A hung process does not refuse: its kernel still accepts. */
function refuses(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", (error) => resolve("code" in error && error.code === "ECONNREFUSED"));
  });
}
