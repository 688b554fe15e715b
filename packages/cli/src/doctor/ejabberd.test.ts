import { copyFile, mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parseConfig, parseModules, parsePlan } from "@reveille/runtime";
import { ask, freePort, openCertificateAuthority, Program } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { filesOf } from "../render/files-of.ts";
import { checkComponents } from "./component.ts";
import { aHost, aDoctorContext, type TestHostOptions } from "./testing/a-doctor-context.ts";

const DOMAIN = "eu.push.example";
const SECRET = "a secret of both";

const plan = (modulesFile: string) => `
region: eu
hostname: ${DOMAIN}
front: ejabberd
hosts: [{ name: s1.${DOMAIN}, addresses: [192.0.2.1], inside: 127.0.0.1 }]
modulesFile: ${modulesFile}
`;

/** ejabberd with the configuration that `reveille render` writes, on ports of this machine. */
async function anEjabberd(): Promise<{ service: string; connections: number } & AsyncDisposable> {
  await using opened = new AsyncDisposableStack();
  const { path: folder } = opened.use(await mkdtempDisposable(join(tmpdir(), "reveille-ejabberd-")));
  const modules = await readFile(new URL("../../../../deploy/modules.example.yaml", import.meta.url), "utf8");
  const files = await filesOf(parsePlan(plan("modules.yaml"), "plan"), parseModules(modules, "modules"));
  const textOf = (name: string): string => files.find(({ path }) => path.endsWith(name))?.text ?? "";
  const { ingress } = parseConfig(textOf("reveille.yaml"), "reveille.yaml");
  const port = await freePort();
  const text = textOf("ejabberd.yml")
    .replaceAll("/etc/ejabberd", folder)
    .replace("port: 5347", `port: ${port}`)
    .replace("port: 15269", `port: ${await freePort()}`)
    .replace("port: 15270", `port: ${await freePort()}`);
  const configFile = join(folder, "ejabberd.yml");
  await writeFile(configFile, text);
  await writeFile(join(folder, "component-secret.yml"), `define_macro:\n  COMPONENT_SECRET: "${SECRET}"\n`);
  const { certificateFile } = await openCertificateAuthority(join(folder, "authority"));
  await copyFile(certificateFile, join(folder, "ca.pem"));
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
  const [component] = ingress.components;
  return {
    service: `xmpp://127.0.0.1:${port}`,
    connections: component?.connections ?? 1,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

async function look(options: TestHostOptions) {
  await using host = await aHost({ domain: DOMAIN, ...options });
  return await checkComponents(aDoctorContext(host.config));
}

describe("the doctor, at ejabberd", () => {
  it("hears its own ping, and that another secret is refused", { timeout: 60_000 }, async () => {
    await using ejabberd = await anEjabberd();
    const { service, connections } = ejabberd;
    // With a place that no stream fills, half of the pings would be lost.
    for (let round = 0; round < 8; round += 1) {
      expect(await look({ service, connections, secret: SECRET })).toMatchObject([
        { kind: "ok", text: "handshake accepted, and a ping to ourselves came back" },
      ]);
    }
    expect(await look({ service, connections, secret: "another" })).toMatchObject([
      { kind: "fail", text: "refused: not-authorized" },
    ]);
  });
});
