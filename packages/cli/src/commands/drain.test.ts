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

async function drain(undo: boolean): Promise<string> {
  const config = join(folder, "reveille.yaml");
  const example = await readFile(EXAMPLE, "utf8");
  await writeFile(config, example.replace("runtimeDir: /run/reveille", `runtimeDir: ${folder}`));
  const written: string[] = [];
  const output = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  onTestFinished(() => output.mockRestore());
  await runDrain({ config, undo, always: false, json: true, haproxy: join(folder, "none.sock") });
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
});
