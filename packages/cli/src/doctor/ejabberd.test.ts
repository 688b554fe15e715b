import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ask, freePort, Program } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { checkComponents } from "./component.ts";
import { aHost, aPatient, type TestHostOptions } from "./testing/a-patient.ts";

const DOMAIN = "eu.push.example";
const SECRET = "a secret of both";

/**
 * ejabberd with the listener that `reveille render` writes, on a port of this machine. Without its balancing: as long as only
 * one of two components is connected, ejabberd 23.01 loses what it draws for the other one's place, pings as well.
 */
async function anEjabberd(): Promise<{ service: string } & AsyncDisposable> {
  await using opened = new AsyncDisposableStack();
  const { path: folder } = opened.use(await mkdtempDisposable(join(tmpdir(), "reveille-ejabberd-")));
  const port = await freePort();
  const config = {
    hosts: ["localhost"],
    auth_method: ["anonymous"],
    loglevel: "info",
    listen: [
      { port, ip: "127.0.0.1", module: "ejabberd_service", hosts: { [DOMAIN]: { password: SECRET } } },
    ],
    modules: {},
  };
  const configFile = join(folder, "ejabberd.yml");
  await writeFile(configFile, JSON.stringify(config));
  const program = await Program.start({
    name: "ejabberd",
    command: "erl",
    args: ["-noinput", "-start_epmd", "false", "-mnesia", "dir", `"${folder}/spool"`, "-s", "ejabberd"],
    env: {
      ...process.env,
      HOME: folder,
      ERL_LIBS: "/usr/lib/x86_64-linux-gnu",
      EJABBERD_CONFIG_PATH: configFile,
      EJABBERD_LOG_PATH: join(folder, "ejabberd.log"),
    },
    debianPackage: "ejabberd",
    ready: async () => ask({ kind: "connection", at: { port } }),
  });
  opened.defer(() => program.stop());
  const resources = opened.move();
  return { service: `xmpp://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

async function look(options: TestHostOptions) {
  await using host = await aHost({ domain: DOMAIN, ...options });
  return await checkComponents(aPatient(host.config));
}

describe("the doctor, at ejabberd", () => {
  it("hears its own ping, and that another secret is refused", { timeout: 60_000 }, async () => {
    await using ejabberd = await anEjabberd();
    const { service } = ejabberd;
    expect(await look({ service, secret: SECRET })).toMatchObject([
      { kind: "ok", text: "handshake accepted, and a ping to ourselves came back" },
    ]);
    expect(await look({ service, secret: "another" })).toMatchObject([
      { kind: "fail", text: "refused: not-authorized" },
    ]);
  });
});
