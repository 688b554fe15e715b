import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { type Region } from "@reveille/demo";
import { freePort } from "@reveille/testkit";

/** The configuration of a host with a front of our own, on ports of its own. */
export async function withFront({ folder, configFile, hostname }: Region): Promise<string> {
  const parsed: unknown = JSON.parse(await readFile(configFile, "utf8"));
  const config = typeof parsed === "object" ? parsed : {};
  const dialbackSecretFile = join(folder, "dialback.secret");
  await writeFile(dialbackSecretFile, "a secret", { mode: 0o600 });
  const certificate = (ending: string): string => join(folder, "certificates", `${hostname}.${ending}`);
  const section = {
    hostnames: { [hostname]: { certificateFile: certificate("crt"), keyFile: certificate("key") } },
    listen: [`127.0.0.1:${await freePort()}`],
    listenDirectTls: [],
    component: { listen: `127.0.0.1:${await freePort()}`, secretFile: join(folder, "component.secret") },
    dialbackSecretFile,
  };
  const file = join(folder, "with-front.yaml");
  await writeFile(file, JSON.stringify({ ...config, front: section }));
  return file;
}
