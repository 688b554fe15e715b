import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";

import { runDrain } from "./drain.ts";

const EXAMPLE = new URL("../../../../deploy/config.example.yaml", import.meta.url);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "reveille-drain-"));
});
afterEach(async () => rm(folder, { recursive: true }));

async function drain(undo: boolean, always = false): Promise<string> {
  const config = join(folder, "reveille.yaml");
  const example = await readFile(EXAMPLE, "utf8");
  await writeFile(config, example.replace("runtimeDir: /run/reveille", `runtimeDir: ${folder}`));
  const written: string[] = [];
  const output = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  onTestFinished(() => output.mockRestore());
  await runDrain({ config, undo, always, json: true, haproxy: join(folder, "none.sock") });
  return written.join("");
}

/** An ingress that says, when it is asked, how many publishes it has answered. */
function aBusyIngress(counts: readonly number[]): { readonly asked: () => number } {
  let asked = 0;
  const server = createServer((_request, response) => {
    const value = counts[Math.min(asked, counts.length - 1)];
    asked += 1;
    response.end(JSON.stringify({ metrics: [{ name: "reveille_publishes_total", values: [{ value }] }] }));
  });
  server.listen(join(folder, "ingress-1.sock"));
  onTestFinished(() => void server.close());
  return { asked: () => asked };
}

/** A front of ours that answers what it is told, and which commands it was told. */
function aFront(answer: object): { readonly told: readonly string[] } {
  const told: string[] = [];
  const server = createServer((request, response) => {
    told.push(`${request.method} ${request.url}`);
    response.end(JSON.stringify(answer));
  });
  server.listen(join(folder, "front-2.sock"));
  onTestFinished(() => void server.close());
  return { told };
}

const isMarked = async (): Promise<boolean> =>
  access(join(folder, "draining")).then(
    () => true,
    () => false,
  );

describe("reveille drain", () => {
  it("marks the host and ends when no publish has come for 3 s", async () => {
    const ingress = aBusyIngress([1, 2, 3]);
    expect(JSON.parse(await drain(false))).toEqual({ draining: true });
    expect(await isMarked()).toBe(true);
    // Two looks in which it still counted, and six that make 3 s.
    expect(ingress.asked()).toBeGreaterThanOrEqual(8);
  });

  it("takes the mark away again", async () => {
    await drain(false);
    expect(JSON.parse(await drain(true))).toEqual({ draining: false });
    expect(await isMarked()).toBe(false);
  });

  it("has a front of ours drain, and marks the host after that", async () => {
    const front = aFront({ kind: "drained" });
    expect(JSON.parse(await drain(false))).toEqual({ draining: true });
    expect(front.told[0]).toBe("POST /drain");
    expect(await isMarked()).toBe(true);
  });

  it("tells why a front of ours does not drain, and leaves the host as it was", async () => {
    const front = aFront({ kind: "refused", because: "no other host is ready" });
    await expect(drain(false, true)).rejects.toThrow("the front refuses: no other host is ready");
    expect(front.told).toEqual(["POST /drain?always"]);
    expect(await isMarked()).toBe(false);
  });

  it("leaves the mark while a front of ours cannot listen again", async () => {
    await writeFile(join(folder, "draining"), "");
    aFront({ kind: "refused", because: "EADDRINUSE" });
    await expect(drain(true)).rejects.toThrow("the front refuses: EADDRINUSE");
    expect(await isMarked()).toBe(true);
  });
});
