import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { ScaledObject } from "@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject";
import { parseCanaryFile, parseConfig } from "@reveille/runtime";
import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import { Namespace } from "kubernetes-models/v1/Namespace";
import { Service } from "kubernetes-models/v1/Service";
import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { z } from "zod";

import { untouched } from "./untouched.ts";

const FOLDER = join(import.meta.dirname, "../../deploy/kubernetes");
const read = (path: string): string => readFileSync(join(FOLDER, path), "utf8");

/** Made from Kubernetes' own OpenAPI description and KEDA's resource definition. Each throws what is wrong. */
const VALIDATE: Readonly<Record<Manifest["kind"], (resource: object) => void>> = {
  Deployment: (resource) => new Deployment({ ...resource }).validate(),
  Namespace: (resource) => new Namespace({ ...resource }).validate(),
  NetworkPolicy: (resource) => new NetworkPolicy({ ...resource }).validate(),
  PodDisruptionBudget: (resource) => new PodDisruptionBudget({ ...resource }).validate(),
  ScaledObject: (resource) => new ScaledObject({ ...NO_SPEC, ...resource }).validate(),
  Service: (resource) => new Service({ ...resource }).validate(),
};
const NO_SPEC = { spec: { scaleTargetRef: { name: "" }, triggers: [] } };

/** The region, and what an overlay may add. */
const PARTS = ["base", "canary"];
const manifestFilesOf = (part: string): readonly string[] =>
  globSync(`${part}/*.yaml`, { cwd: FOLDER }).filter((file) => !file.endsWith("kustomization.yaml"));

const manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.enum([
    "Deployment",
    "NetworkPolicy",
    "Namespace",
    "PodDisruptionBudget",
    "ScaledObject",
    "Service",
  ]),
  metadata: z.looseObject({ name: z.string() }),
});
type Manifest = z.output<typeof manifest>;

const manifestsIn = (text: string): readonly Manifest[] =>
  parseAllDocuments(text, { merge: true }).map((document) => manifest.parse(document.toJS()));
const manifestsOf = (part: string): readonly Manifest[] =>
  manifestFilesOf(part).flatMap((file) => manifestsIn(read(file)));
const all = PARTS.flatMap(manifestsOf);

/** What Kubernetes would refuse, or ignore: fields it does not know. */
function mistakesIn(resource: Manifest): readonly string[] {
  const { watched, unread } = untouched(resource);
  try {
    VALIDATE[resource.kind](watched);
  } catch (error) {
    return [String(error)];
  }
  return unread();
}

describe("the manifests", () => {
  it.each(all.map((resource) => [`${resource.kind} ${resource.metadata.name}`, resource] as const))(
    "%s is what its API understands",
    (_name, resource) => {
      expect(mistakesIn(resource)).toEqual([]);
    },
  );

  it("are checked for fields that nobody knows, too", () => {
    const [deployment] = all.filter(({ kind }) => kind === "Deployment");
    const typo: Manifest = manifest.parse(
      JSON.parse(JSON.stringify(deployment).replace(`"periodSeconds"`, `"periodSecs"`)),
    );
    expect(mistakesIn(typo)).toEqual([expect.stringMatching(/\.periodSecs$/)]);
  });

  it.each(PARTS)("in %s are all part of it", (part) => {
    const { resources } = z
      .looseObject({ resources: z.array(z.string()) })
      .parse(parse(read(`${part}/kustomization.yaml`)));
    expect(resources.map((file) => `${part}/${file}`).toSorted()).toEqual(manifestFilesOf(part).toSorted());
  });
});

const probe = z.looseObject({
  httpGet: z.object({ path: z.string(), port: z.union([z.string(), z.number()]) }).optional(),
});
const container = z.looseObject({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()).default([]),
  restartPolicy: z.string().optional(),
  livenessProbe: probe,
  readinessProbe: probe.optional(),
  resources: z.object({ limits: z.object({ memory: z.string() }) }),
  securityContext: z.unknown(),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })),
});
const deployment = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({
        securityContext: z.unknown(),
        terminationGracePeriodSeconds: z.number(),
        initContainers: z.tuple([container]),
        containers: z.array(container),
        volumes: z.array(z.looseObject({ name: z.string() })),
      }),
    }),
  }),
});
const pods = all
  .filter(({ kind }) => kind === "Deployment")
  .map((resource) => deployment.parse(resource))
  .map(({ metadata: { name }, spec: { template } }) => [name, template.spec] as const);
const configFile = read("overlays/example/reveille.yaml");
const config = parseConfig(configFile, "reveille.yaml");

describe.each(pods)("%s", (_name, pod) => {
  const [sidecar] = pod.initContainers;
  const containers = [sidecar, ...pod.containers];

  it("may do what the restricted standard of pods allows", () => {
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    });
    for (const { securityContext } of containers) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
    }
  });

  it("has the sidecar beside it, on a folder they share", () => {
    expect(sidecar).toMatchObject({
      restartPolicy: "Always",
      args: ["sidecar", "--config", expect.any(String)],
    });
    const roles = pod.containers.filter(({ image }) => image === "reveille");
    expect(roles).toHaveLength(1);
    for (const { volumeMounts } of [sidecar, ...roles]) {
      expect(volumeMounts).toContainEqual({ name: "sockets", mountPath: config.runtimeDir });
    }
    expect(pod.volumes.find(({ name }) => name === "sockets")).toHaveProperty("emptyDir");
  });

  it("asks for paths that the sidecar serves", () => {
    const app = readFileSync(join(FOLDER, "../../packages/sidecar/README.md"), "utf8");
    const paths = containers.flatMap(({ livenessProbe, readinessProbe }) =>
      [livenessProbe, readinessProbe].flatMap((asked) => asked?.httpGet?.path ?? []),
    );
    expect(paths.length).toBeGreaterThan(1);
    expect(paths.filter((path) => !new RegExp(`(?:GET |\`)${path}\``).test(app))).toEqual([]);
  });

  it("mounts what it has, and has what it mounts", () => {
    const mounted = new Set(containers.flatMap(({ volumeMounts }) => volumeMounts.map(({ name }) => name)));
    expect(mounted).toEqual(new Set(pod.volumes.map(({ name }) => name)));
  });

  it("has longer to stop than its configuration lets it take", () => {
    expect(pod.terminationGracePeriodSeconds * 1_000).toBeGreaterThan(config.drainWithin + 10_000);
  });
});

describe("the example", () => {
  it("has a configuration whose secrets are mounted", () => {
    const folders = [...configFile.matchAll(/File: (\/etc\/reveille\/[a-z]+)\//g)].map(
      ([, folder]) => folder,
    );
    const mounts = pods.flatMap(([, { containers }]) =>
      containers.flatMap(({ volumeMounts }) => volumeMounts),
    );
    expect(folders).toHaveLength(4);
    expect(mounts.map(({ mountPath }) => mountPath)).toEqual(expect.arrayContaining(folders));
  });

  it("of a canary has its secret where the pod mounts it, and a sidecar that Prometheus can reach", () => {
    const { canary, sidecar } = parseCanaryFile(read("../container/canary.yaml"), "canary.yaml");
    const mounts = pods
      .filter(([name]) => name === "reveille-canary")
      .flatMap(([, { containers }]) => containers.flatMap(({ volumeMounts }) => volumeMounts));
    expect(mounts).toContainEqual({
      name: "canary-secret",
      mountPath: dirname(canary.component.secretFile),
      readOnly: true,
    });
    expect(sidecar.listen).toEqual({ host: "0.0.0.0", port: 9464 });
  });

  it("scales workers by a metric that there is", () => {
    const [scaling] = all.filter(({ kind }) => kind === "ScaledObject");
    const [, metric] =
      /query: ?"?max\((\w+)\)/.exec(JSON.stringify(scaling).replaceAll(`"`, " ").replaceAll(" : ", ": ")) ??
      [];
    expect(readFileSync(join(FOLDER, "../../docs/metrics.md"), "utf8")).toContain(`| \`${metric}\` |`);
  });

  it.skipIf(!hasKubectl())("is what kubectl makes resources of that are understood", () => {
    const rendered = execFileSync("kubectl", ["kustomize", join(FOLDER, "overlays/example")], {
      encoding: "utf8",
    });
    const resources = parseAllDocuments(rendered).map((document) => document.toJS() as unknown);
    const ours = resources.flatMap((resource) => manifest.safeParse(resource).data ?? []);
    // One more: the map with the configuration.
    const base = manifestsOf("base").length;
    expect([ours.length, resources.length]).toEqual([base, base + 1]);
    expect(ours.flatMap(mistakesIn)).toEqual([]);
    expect(rendered).not.toMatch(/image: reveille/);
  });
});

/** Part of Kubernetes' own tools; the project does not bring it. */
function hasKubectl(): boolean {
  try {
    execFileSync("kubectl", ["version", "--client"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
