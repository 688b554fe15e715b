import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Programs the bench starts, and the Debian packages they come from. */
const TOOLS = { nginx: "nginx-light", openssl: "openssl", "redis-server": "redis-server" };

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Installs what is missing as `npm start` does. Throws with the names of what is then still missing. */
export function ensureTools(): void {
  // Debian keeps servers where only root's PATH leads.
  process.env["PATH"] = [process.env["PATH"], "/usr/sbin", "/sbin"].join(delimiter);
  if (missing().length === 0) return;
  spawnSync("sh", ["deploy/local/setup.sh", "bench"], { cwd: ROOT, stdio: ["ignore", 2, 2] });
  const names = missing();
  if (names.length > 0) throw new Error(`the bench needs the Debian packages ${names.join(", ")}`);
}

function missing(): string[] {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return Object.entries(TOOLS)
    .filter(([program]) => !folders.some((folder) => existsSync(join(folder, program))))
    .map(([, debianPackage]) => debianPackage);
}
