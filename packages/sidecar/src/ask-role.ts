import { request } from "node:http";
import { text } from "node:stream/consumers";

import { type Clock, millis, type RoleReport } from "@reveille/wakeup";

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
      text(response).then((body) => resolve(answerFrom(response.statusCode, body, detail)), failed);
    })
      .once("error", failed)
      .end();
  });
}

function answerFrom(status: number | undefined, body: string, detail: ReportDetail): RoleAnswer {
  const report = status === 200 ? parseReport(body) : undefined;
  return report === undefined
    ? { kind: "silent", because: `no report in answer ${status}` }
    : { kind: "report", report, detail };
}

function answerOf(error: Error): RoleAnswer {
  const code = "code" in error ? error.code : undefined;
  if (code === "ENOENT" || code === "ECONNREFUSED") return { kind: "gone" };
  return { kind: "silent", because: error.message };
}
