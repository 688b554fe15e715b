import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const readme = read("deploy/README.md");
const installer = read("deploy/install.sh");

const all = (pattern: RegExp, text = readme): readonly string[] =>
  [...text.matchAll(pattern)].map(([, found]) => found ?? "");

describe("deploy/README.md", () => {
  it("names tests and sources that are there", () => {
    const named = all(/`((?:test|packages)\/[^`\s]+\.ts)`/g);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it("uses options that the installer has", () => {
    const used = new Set(all(/install\.sh`? (--[a-z-]+)/g));
    expect(used.size).toBeGreaterThan(2);
    const known = all(/^ {4}(--.*)\)/gm, installer).flatMap((options) => options.split(" | "));
    expect([...used].filter((option) => !known.includes(option))).toEqual([]);
  });

  it("explains every folder of secrets that the installer makes", () => {
    const made = /^SECRET_FOLDERS="(.*)"$/m.exec(installer)?.[1]?.split(" ");
    expect(all(/^ *\| `\/etc\/reveille\/([a-z0-9]+)` \|/gm).toSorted()).toEqual(made?.toSorted());
  });

  it("lists every port of a rendered region", () => {
    const ports = all(/^ {2}\w+: ([\d_]+),$/gm, read("packages/cli/src/render/view.ts")).map((port) =>
      port.replace("_", ""),
    );
    expect(ports.length).toBeGreaterThan(5);
    const table = readme.slice(readme.indexOf("## Ports"), readme.indexOf("## DNS"));
    for (const port of ports) expect(table).toContain(port);
  });

  it("has firewall rules that nft understands", async () => {
    const blocks = all(/^```nft\n([\s\S]*?)^```$/gm);
    expect(blocks).toHaveLength(2);
    const rules = blocks.join("\n");
    const said = await new Promise<string>((resolve) => {
      // A network of its own: checking asks the kernel, which lets root alone do it.
      const nft = execFile("unshare", ["--net", "nft", "--check", "--file", "-"], (error, stdout, stderr) =>
        resolve(error === null ? "" : stdout + stderr),
      );
      nft.stdin?.end(rules);
    });
    expect(said).toBe("");
  });
});
