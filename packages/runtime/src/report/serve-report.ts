import { randomInt } from "node:crypto";
import { chmod, mkdir, rename, rm } from "node:fs/promises";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import { join } from "node:path";

import {
  type EpochMillis,
  type MetricFamily,
  type PartHealth,
  type Role,
  type RoleReport,
} from "@reveille/wakeup";

import { removeStaleSockets } from "./stale-sockets.ts";

export interface ReportOptions {
  /** Made with mode 0750 if missing. */
  readonly runtimeDir: string;
  readonly role: Role;
  readonly version: string;
  readonly startedAt: EpochMillis;
  readonly parts: () => readonly PartHealth[];
  readonly metrics: () => Promise<readonly MetricFamily[]>;
  /** Answers `POST /reload` with what became of it, as JSON; never rejects. */
  readonly reload: () => Promise<object>;
  /** What else a role does when it is told to, by the path of a `POST`; answered like a reload. They never reject. */
  readonly commands?: Readonly<Record<string, () => Promise<object>>>;
  /** Default: the id of this process, or a number of its own if it is the first one of a container. */
  readonly pid?: number;
}

/** A role's report server; disposing removes the socket. */
export interface ReportServer extends AsyncDisposable {
  /** Path of the Unix socket. */
  readonly path: string;
}

/**
 * Answers `GET /report` with a `RoleReport` as JSON on the Unix socket `<role>-<pid>.sock` of `runtimeDir`;
 * `?metrics=none` leaves the metrics out. `POST /reload` has the role read its configuration again.
 */
export async function serveReport(options: ReportOptions): Promise<ReportServer> {
  const { runtimeDir, role, pid = numberOf(process.pid) } = options;
  return serveSocket(runtimeDir, `${role}-${pid}.sock`, answering(options, pid));
}

/** The same for a sidecar, which has nothing to report to itself: `POST /reload` alone. */
export async function serveReload({
  runtimeDir,
  reload,
  pid = numberOf(process.pid),
}: Pick<ReportOptions, "runtimeDir" | "reload" | "pid">): Promise<ReportServer> {
  return serveSocket(runtimeDir, `sidecar-${pid}.sock`, (request, response) => {
    if (isReload(request)) void reload().then((body) => answer(response, 200, body));
    else answer(response, 404, { error: "only POST /reload is here" });
  });
}

async function serveSocket(
  runtimeDir: string,
  name: string,
  listener: RequestListener,
): Promise<ReportServer> {
  await mkdir(runtimeDir, { recursive: true, mode: 0o750 });
  await removeStaleSockets(runtimeDir);
  const path = join(runtimeDir, name);
  // Under another name until it listens: whoever looks for stale sockets meanwhile must not take it for one.
  const hidden = `${path}.new`;
  await rm(hidden, { force: true });
  const server = createServer(listener);
  await listen(server, hidden);
  await chmod(hidden, 0o660);
  await rename(hidden, path);
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await rm(path, { force: true });
      await close(server);
    },
  };
}

const isReload = ({ method, url }: IncomingMessage): boolean => method === "POST" && url === "/reload";

/** Beyond the ids that Linux gives (PID_MAX_LIMIT, 2^22). */
const [FIRST_OWN, LAST_OWN] = [4_194_305, 9_999_999];

/** In a container of its own a role is process 1, like its siblings with whom it shares the folder. */
export const numberOf = (pid: number): number => (pid === 1 ? randomInt(FIRST_OWN, LAST_OWN) : pid);

function answering(
  { role, version, startedAt, parts, metrics, reload, commands = {} }: ReportOptions,
  pid: number,
): RequestListener {
  const byPath = new Map([...Object.entries(commands), ["/reload", reload] as const]);
  return (request, response) => {
    const command = request.method === "POST" ? byPath.get(request.url ?? "") : undefined;
    if (command !== undefined) {
      void command().then((body) => answer(response, 200, body));
      return;
    }
    const isAll = request.url === "/report";
    if (request.method !== "GET" || !(isAll || request.url === "/report?metrics=none")) {
      answer(response, 404, { error: `only GET /report and POST ${[...byPath.keys()].join(", ")} are here` });
      return;
    }
    const report = async (): Promise<RoleReport> => {
      const families = isAll ? await metrics() : [];
      return { role, pid, version, startedAt, parts: parts(), metrics: families };
    };
    report().then(
      (body) => answer(response, 200, body),
      // The sidecar shows a role that cannot report as stale.
      () => answer(response, 500, { error: "this role cannot report" }),
    );
  };
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
