import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type PushEvent, type RoleReport } from "@reveille/wakeup";

import { startSidecar, type SidecarOptions } from "../index.ts";
import { watchHost, type WatchOptions } from "../watch-host.ts";
import { aRole } from "./a-role.ts";
import { PollClock } from "./poll-clock.ts";
import { metrics } from "./some-metrics.ts";

/** A runtime folder with roles and a sidecar as a test wants them; all of it ends with the host. */
export async function aHost() {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await mkdtempDisposable(join(tmpdir(), "reveille-host-")));
  const clock = new PollClock();
  const events: PushEvent[] = [];
  const options: WatchOptions = {
    region: "eu",
    host: "s1.eu.push.example",
    version: "1.2.3",
    runtimeDir: folder.path,
    metrics,
    clock,
    observe: (event) => void events.push(event),
  };
  const start = async (parts: Partial<SidecarOptions> = {}) => {
    const listen = { host: "127.0.0.1", port: 0 };
    const sidecar = stack.use(await startSidecar({ ...options, listen, ...parts }));
    return {
      address: sidecar.address,
      get: getFrom(sidecar.address),
      getStatus: getFrom(sidecar.statusAddress ?? sidecar.address),
    };
  };
  const role = async (parts: Partial<RoleReport> = {}) => stack.use(await aRole(folder.path, parts));
  return {
    runtimeDir: folder.path,
    clock,
    events,
    start,
    /** What a sidecar knows, without its server and its polls. */
    watch: () => watchHost(options),
    role,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const getFrom =
  ({ port }: { readonly port: number }) =>
  async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
    const { status } = response;
    return { status, headers: response.headers, text: await response.text() };
  };
