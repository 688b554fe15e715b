import { rename } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";

import { type RoleReport } from "@reveille/wakeup";

/** A role that answers with what a test gives it; `hang` swallows requests. */
export async function aRole(runtimeDir: string, parts: Partial<RoleReport> = {}) {
  let report: RoleReport = {
    role: "worker",
    pid: 1,
    version: "1",
    startedAt: 1,
    parts: [{ part: "redis", health: { kind: "ready" } }],
    metrics: [],
    ...parts,
  };
  let hung = false;
  const asked: string[] = [];
  const server = createServer(({ url = "" }, response) => {
    asked.push(url);
    if (hung) return;
    const isAll = url === "/report";
    response.end(JSON.stringify(isAll ? report : { ...report, metrics: [] }));
  });
  const path = join(runtimeDir, `${report.role}-${report.pid}.sock`);
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    /** The URLs of all requests. */
    asked,
    set: (parts: Partial<RoleReport>) => void (report = { ...report, ...parts }),
    hang: () => void (hung = true),
    /** Answers what is asked from now on. */
    wake: () => void (hung = false),
    /** As SIGKILL does it: nobody listens, the socket stays. */
    kill: async () => {
      await rename(path, `${path}.kept`);
      await close();
      await rename(`${path}.kept`, path);
    },
    /** As SIGTERM does it. */
    end: close,
    [Symbol.asyncDispose]: close,
  };
}
