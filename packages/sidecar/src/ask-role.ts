import { type IncomingMessage, request } from "node:http";

import { type Clock, millis, networkTrouble, type RoleReport } from "@reveille/wakeup";

import { parseReport } from "./parse-report.ts";

/** Everything, or everything but the metrics. */
export type ReportDetail = "all" | "health";

/** What came back from the socket of a role. */
export type RoleAnswer =
  | { readonly kind: "report"; readonly report: RoleReport; readonly detail: ReportDetail }
  /** Nobody listens: the process has ended. */
  | { readonly kind: "gone" }
  /** Somebody listens, but no report came. */
  | { readonly kind: "silent"; readonly because: string };

const PATHS = { all: "/report", health: "/report?metrics=none" } as const satisfies Record<
  ReportDetail,
  string
>;

/** A role that works answers within milliseconds. With this a scrape stays within its second. */
const PATIENCE = millis(900);

/** A report is some 100 kB. The memory of the sidecar is not for a process to fill that has gone mad. */
const LONGEST_REPORT = 8 * 1024 * 1024;

/** Asks the role at this Unix socket for its report; settles within `PATIENCE` and never rejects. */
export async function askRole(path: string, detail: ReportDetail, clock: Clock): Promise<RoleAnswer> {
  const done = new AbortController();
  const late = clock
    .sleep(PATIENCE, done.signal)
    .then((): RoleAnswer => ({ kind: "silent", because: "no report within 0.9 s" }));
  const answer = await Promise.race([fetchReport(path, detail, done.signal), late]);
  done.abort();
  return answer;
}

async function fetchReport(
  socketPath: string,
  detail: ReportDetail,
  signal: AbortSignal,
): Promise<RoleAnswer> {
  return new Promise((resolve) => {
    const failed = (error: Error): void => resolve(answerOf(error));
    request({ socketPath, path: PATHS[detail], signal, agent: false }, (response) => {
      bodyOf(response).then((body) => resolve(answerFrom(response.statusCode, body, detail)), failed);
    })
      .once("error", failed)
      .end();
  });
}

/** `undefined` as soon as it is longer than any report; the connection is closed then. */
async function bodyOf(response: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  const received: AsyncIterable<Buffer> = response;
  for await (const bytes of received) {
    length += bytes.length;
    // Leaving the loop destroys the response.
    if (length > LONGEST_REPORT) return undefined;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString();
}

function answerFrom(status: number | undefined, body: string | undefined, detail: ReportDetail): RoleAnswer {
  if (body === undefined) return { kind: "silent", because: "a report longer than 8 MiB: restart it" };
  const report = status === 200 ? parseReport(body) : undefined;
  return report === undefined
    ? { kind: "silent", because: `no report in answer ${status}` }
    : { kind: "report", report, detail };
}

function answerOf(error: Error): RoleAnswer {
  const code = "code" in error ? error.code : undefined;
  if (code === "ENOENT" || code === "ECONNREFUSED") return { kind: "gone" };
  return { kind: "silent", because: networkTrouble(error) };
}
