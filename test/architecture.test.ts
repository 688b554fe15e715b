import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { MAIN_PROMISES, SLOW_UNITS } from "./tiers.ts";

const root = join(import.meta.dirname, "..");

/** The arrows: package → packages it may import. Whoever adds one changes the picture in README.md too. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  wakeup: [],
  xml: [],
  front: ["wakeup", "xml"],
  ingress: ["wakeup", "xml", "admission", "queue"],
  admission: ["wakeup"],
  queue: ["wakeup"],
  worker: ["wakeup", "admission", "queue", "push-services"],
  "push-services": ["wakeup"],
  sidecar: ["wakeup"],
  runtime: ["wakeup"],
  cli: [
    "wakeup",
    "front",
    "ingress",
    "admission",
    "queue",
    "worker",
    "push-services",
    "sidecar",
    "runtime",
    "push-simulator",
  ],
  "push-simulator": [],
  demo: ["testkit"],
  testkit: ["wakeup"],
};

/** An outside library belongs to one package; ioredis to the two that own a connection, and to tests. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  "@xmpp/client": ["demo"],
  "@xmpp/component-core": ["ingress"],
  "fast-check": ["testkit"],
  ioredis: ["admission", "queue", "testkit"],
  bullmq: ["queue"],
  tldts: ["admission"],
  "@parse/node-apn": ["push-services"],
  fastify: ["sidecar"],
  pino: ["runtime"],
  "pino-pretty": ["runtime"],
  "prom-client": ["runtime"],
  yaml: ["runtime"],
  zod: ["runtime"],
  commander: ["cli"],
  "strip-json-comments": ["cli"],
  mustache: ["cli"],
};

/** Installed once at the root, for tests of every package. */
const TEST_TOOLS = ["vitest", "fast-check"];

const TOP_LEVEL = [
  "CHANGELOG.md",
  "LICENSE",
  "README.md",
  "deploy",
  "docs",
  "node_modules",
  "package.json",
  "packages",
  "pnpm-lock.yaml",
  "pnpm-workspace.yaml",
  "test",
  "tsconfig.base.json",
];

interface Manifest {
  readonly dependencies: readonly string[];
  readonly devDependencies: readonly string[];
}

const packages = readdirSync(join(root, "packages"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "node_modules")
  .map((entry) => entry.name);

describe("the architecture", () => {
  it("has the packages of the design and no others", () => {
    expect(packages.toSorted()).toEqual(Object.keys(ARROWS).toSorted());
  });

  it("has nothing at the top level but what belongs there", () => {
    const visible = readdirSync(root).filter((name) => !name.startsWith("."));
    expect(visible.filter((name) => !TOP_LEVEL.includes(name))).toEqual([]);
  });

  it("lists as slow only tests that exist", () => {
    const listed = [...SLOW_UNITS, ...MAIN_PROMISES];
    expect(listed.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });

  it.each(packages)("lets %s depend only on packages its arrows point to", (name) => {
    const ours = manifestOf(name)
      .dependencies.filter((dependency) => dependency.startsWith("@reveille/"))
      .map((dependency) => dependency.slice("@reveille/".length));
    expect(ours.filter((dependency) => !ARROWS[name]?.includes(dependency))).toEqual([]);
  });

  it.each(packages)("gives %s only libraries it owns", (name) => {
    const libraries = manifestOf(name).dependencies.filter((library) => !library.startsWith("@reveille/"));
    expect(libraries.filter((library) => !OWNERS[library]?.includes(name))).toEqual([]);
  });

  it.each(packages)("has %s import only what its manifest declares, by package name", (name) => {
    const { dependencies, devDependencies } = manifestOf(name);
    const forTests = [...dependencies, ...devDependencies, ...TEST_TOOLS, `@reveille/${name}`];
    const undeclared = sourcesOf(name).flatMap((file) => {
      const allowed = isTest(file) ? forTests : dependencies;
      return importsOf(file)
        .filter((specifier) => !specifier.startsWith(".") && !specifier.startsWith("node:"))
        .filter((specifier) => !allowed.includes(specifier) && !allowed.includes(libraryOf(specifier)))
        .map((specifier) => `${file}: ${specifier}`);
    });
    expect(undeclared).toEqual([]);
  });

  it.each(packages)("keeps the relative imports of %s inside it", (name) => {
    const escaping = sourcesOf(name).flatMap((file) =>
      importsOf(file)
        .filter((specifier) => specifier.startsWith("."))
        .filter((specifier) => !join(file, "..", specifier).startsWith(`packages/${name}/`))
        .map((specifier) => `${file}: ${specifier}`),
    );
    expect(escaping).toEqual([]);
  });
});

/** An outside library may be imported by the path of one of its files; our own packages only by their name. */
const libraryOf = (specifier: string): string =>
  /^(?!@reveille\/)(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;

/** Files that run only in tests: `*.test.ts`, and what they share in `test/` folders of a package. */
const isTest = (file: string): boolean => /\.test\.ts$|\.contract\.ts$|\/(?:testing|fixtures)\//.test(file);

const sourcesOf = (name: string): string[] => globSync(`packages/${name}/src/**/*.ts`, { cwd: root });

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), "utf8");
  const specifiers =
    /^(?:import|export)\b[^"';=]*?\bfrom\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\("([^"]+)"\)/gm;
  return [...text.matchAll(specifiers)].map(([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? "");
}

function manifestOf(name: string): Manifest {
  const manifest: unknown = JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8"));
  return {
    dependencies: keysOf(manifest, "dependencies"),
    devDependencies: keysOf(manifest, "devDependencies"),
  };
}

function keysOf(manifest: unknown, key: "dependencies" | "devDependencies"): string[] {
  if (typeof manifest !== "object" || manifest === null) return [];
  const value: unknown = Object.entries(manifest).find(([name]) => name === key)?.[1];
  return typeof value === "object" && value !== null ? Object.keys(value) : [];
}
