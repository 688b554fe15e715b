import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { accepting, freePort } from "../ports.ts";
import { ArrivalLog, type Arrivals } from "../arrivals.ts";
import { type Bench } from "../bench.ts";
import { indexOf } from "../tokens.ts";
import { type ApnsEnd } from "./apns.ts";
import { makeCertificate } from "./certificate.ts";

/** nginx with HTTP/2 over TLS, in a folder of its own. Needs Debian's `nginx-light`. */
export async function startNginx(bench: Bench): Promise<ApnsEnd> {
  const { folder } = bench;
  const [port, statusPort] = [await freePort(), await freePort()];
  const { certFile, keyFile } = await makeCertificate(folder);
  const ledgerFile = join(folder, "pushes.log");
  const configFile = join(folder, "nginx.conf");
  await mkdir(join(folder, "nginx"), { recursive: true });
  await writeFile(configFile, configOf({ folder, port, statusPort, certFile, keyFile, ledgerFile }));
  const running = bench.process({
    name: "apns (nginx)",
    command: "nginx",
    args: ["-p", folder, "-c", configFile, "-e", "stderr"],
  });
  await Promise.race([accepting(statusPort), running.failed]);
  let asked = 0;
  return {
    name: "nginx",
    port,
    caFile: certFile,
    requests: async () => {
      asked += 1;
      const status = await fetch(`http://127.0.0.1:${statusPort}/`);
      return requestsOf(await status.text()) - asked;
    },
    arrivals: async () => arrivalsOf(await readFile(ledgerFile, "utf8")),
  };
}

interface NginxSettings {
  readonly folder: string;
  readonly port: number;
  readonly statusPort: number;
  readonly certFile: string;
  readonly keyFile: string;
  readonly ledgerFile: string;
}

/** Limits raised to what APNs grants: 1,000 streams, and connections that live for hours. */
function configOf(settings: NginxSettings): string {
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `  ${kind}_temp_path ${settings.folder}/nginx/${kind};`)
    .join("\n");
  return `daemon off;
pid ${settings.folder}/nginx.pid;
worker_processes 1;
worker_shutdown_timeout 1s;
error_log stderr warn;
events { worker_connections 1024; }
http {
${paths}
  log_format pushes '$msec $uri $status';
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  keepalive_time 24h;
  http2_max_concurrent_streams 1000;
  http2_max_concurrent_pushes 0;
  server {
    listen 127.0.0.1:${settings.port} ssl http2 backlog=1024;
    ssl_certificate ${settings.certFile};
    ssl_certificate_key ${settings.keyFile};
    access_log ${settings.ledgerFile} pushes buffer=256k flush=1s;
    location /3/device/ {
      add_header apns-id $http_apns_id;
      return 200;
    }
  }
  server {
    listen 127.0.0.1:${settings.statusPort};
    access_log off;
    location / { stub_status; }
  }
}
`;
}

/** Requests so far in the text of `stub_status`, this one included. */
export function requestsOf(status: string): number {
  const requests = /\n \d+ \d+ (\d+)/.exec(status)?.[1];
  if (requests === undefined) throw new Error("nginx gave no status");
  return Number(requests);
}

/** Of lines of the form `1700000000.123 /3/device/<token> 200`; others are no accepted pushes. */
export function arrivalsOf(log: string): Arrivals {
  const arrivals = new ArrivalLog();
  for (const line of log.split("\n")) {
    const [time, path, status] = line.split(" ");
    if (time === undefined || path === undefined || status !== "200") continue;
    arrivals.note(indexOf(path), Number(time) * 1000);
  }
  return arrivals.arrivals;
}
