import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  aPublish,
  ask,
  aToken,
  freePort,
  issueCertificate,
  openCertificateAuthority,
  openServerDouble,
  Program,
  type ServerDouble,
  until,
} from "@reveille/testkit";
import { expect, it } from "vitest";

import { openS2sPeer } from "./s2s-peer.ts";

const HOSTNAME = "eu.push.example";
const SECRET = "secret of ingresses";
const MAIN = join(import.meta.dirname, "../../packages/cli/src/main.ts");
/** Whether it takes replies on its own stream, or the front looks for its server, in vain. */
const DOMAINS = [
  { domain: "talkative-one.example", bidi: true },
  { domain: "talkative-two.example", bidi: false },
];
const CANARIES = {
  localPart: `local-${randomUUID()}`,
  body: `body-${randomUUID()}`,
  token: aToken("front privacy"),
};

/** The role, as it runs in production but for its log, which tells all. */
async function startFront(folder: string) {
  const authority = await openCertificateAuthority(join(folder, "ca"));
  const certificates = join(folder, "certificates");
  for (const name of [HOSTNAME, ...DOMAINS.map(({ domain }) => domain)])
    await issueCertificate(authority, certificates, name, "serverAuth,clientAuth");
  const file = (name: string): string => join(certificates, name);
  const ports = { starttls: await freePort(), direct: await freePort(), component: await freePort() };
  const [secretFile, dialbackSecretFile] = [
    join(folder, "component.secret"),
    join(folder, "dialback.secret"),
  ];
  for (const each of [secretFile, dialbackSecretFile]) await writeFile(each, SECRET, { mode: 0o600 });
  const config = {
    region: "eu",
    host: "s1.eu.push.example",
    runtimeDir: join(folder, "run"),
    log: { level: "debug" },
    // What the other roles need, which the front does not read.
    redis: { url: "redis://127.0.0.1:1" },
    ingress: {
      components: [{ service: `xmpp://127.0.0.1:${ports.component}`, domain: HOSTNAME, secretFile }],
    },
    modules: {
      app: {
        apns: {
          topic: "org.example",
          environment: "production",
          keyFile: join(folder, "none.p8"),
          keyId: "ABC1234567",
          teamId: "TEAM123456",
        },
      },
    },
    front: {
      hostnames: {
        [HOSTNAME]: { certificateFile: file(`${HOSTNAME}.crt`), keyFile: file(`${HOSTNAME}.key`) },
      },
      listen: [`127.0.0.1:${ports.starttls}`],
      listenDirectTls: [`127.0.0.1:${ports.direct}`],
      component: { listen: `127.0.0.1:${ports.component}`, secretFile },
      dialbackSecretFile,
      authoritiesFile: authority.certificateFile,
      // Nobody answers there.
      dnsServers: [`127.0.0.1:${await freePort()}`],
      privateAddresses: "allow",
    },
  };
  const configFile = join(folder, "reveille.yaml");
  await writeFile(configFile, JSON.stringify(config));
  const flags = ["--heapsnapshot-signal=SIGUSR2", `--diagnostic-dir=${folder}`];
  const program = await Program.start({
    name: "front",
    command: process.execPath,
    args: [...flags, MAIN, "front", "--config", configFile],
    logFile: join(folder, "front.log"),
    ready: async () => ask({ kind: "connection", at: { port: ports.direct } }),
  });
  return { program, ports, file };
}

/** Answers what the front passes on, and says how much that was. */
function answerAll(component: ServerDouble): Disposable & { readonly count: () => number } {
  let done = 0;
  const timer = setInterval(() => {
    for (const xml of component.received.slice(done)) {
      done += 1;
      const valueOf = (name: string): string => new RegExp(` ${name}=['"]([^'"]*)`).exec(xml)?.[1] ?? "";
      component.send(`<iq type='result' id='${valueOf("id")}' from='${HOSTNAME}' to='${valueOf("from")}'/>`);
    }
  }, 10);
  return { count: () => done, [Symbol.dispose]: () => clearInterval(timer) };
}

/** A snapshot is whole when it ends as JSON does. */
async function heapOf(folder: string, pid: number): Promise<string> {
  process.kill(pid, "SIGUSR2");
  const snapshot = async (): Promise<string | undefined> => {
    const name = (await readdir(folder)).find((each) => each.endsWith(".heapsnapshot"));
    const text = name === undefined ? "" : await readFile(join(folder, name), "latin1");
    return text.trimEnd().endsWith("]}") ? text : undefined;
  };
  return until(snapshot, { what: "the heap snapshot", withinMs: 60_000, everyMs: 200 });
}

it("a front has no stanza, local part or token in its memory after the reply, nor in its log at any level", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "reveille-front-privacy-"));
  stack.defer(async () => rm(folder, { recursive: true }));
  const { program, ports, file } = await startFront(folder);
  stack.use(program);
  const component = stack.use(
    await openServerDouble({ port: ports.component, domain: HOSTNAME, secret: SECRET }),
  );
  const answers = stack.use(answerAll(component));
  const peers = [];
  for (const { domain, bidi } of DOMAINS) {
    const [key, certificate] = [await readFile(file(`${domain}.key`)), await readFile(file(`${domain}.crt`))];
    const peer = stack.use(await openS2sPeer({ port: ports.direct, domain, to: HOSTNAME, key, certificate }));
    if (bidi) peer.send("<bidi xmlns='urn:xmpp:bidi'/>");
    for (let round = 0; round < 50; round += 1) {
      const from = `${CANARIES.localPart}@${domain}/x`;
      peer.send(
        aPublish({ id: `${domain}-${round}`, from, to: HOSTNAME, node: CANARIES.token }) +
          `<message from='${from}' to='${HOSTNAME}'><body>${CANARIES.body}</body></message>`,
      );
    }
    peers.push(peer);
  }
  await expect.poll(() => answers.count()).toBe(2 * 2 * 50);
  await expect.poll(() => program.lines.some(({ text }) => text.includes("peer-unreachable"))).toBe(true);
  // The newest stanza may still be held by a buffer or a regular expression: others come after it.
  for (const [at, peer] of peers.entries())
    peer.send(
      `<iq type='get' id='last' from='${DOMAINS[at]?.domain}' to='${HOSTNAME}'><a xmlns='urn:a'/></iq>`,
    );
  await expect.poll(() => answers.count()).toBe(2 * 2 * 50 + 2);

  const heap = await heapOf(folder, program.pid);
  const log = program.lines.map(({ text }) => text).join("\n");
  // Each search looks into the right place.
  for (const { domain } of DOMAINS) {
    expect(heap).toContain(domain);
    expect(log).toContain(domain);
  }
  for (const canary of Object.values(CANARIES)) {
    expect(heap.includes(canary)).toBe(false);
    expect(log).not.toContain(canary);
  }
});
