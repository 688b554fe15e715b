import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Where a role reads the secret that the configuration calls `file`. Our units let systemd read the folders of secrets as
 * root and hand them over (`LoadCredential=apns:/etc/reveille/apns`); systemd then names a file by its folder, `apns_key.p8`
 * (systemd.exec(5)). Whatever was not handed over is read where it is.
 */
export function secretPath(file: string, credentials = process.env["CREDENTIALS_DIRECTORY"]): string {
  if (credentials === undefined) return file;
  const handedOver = join(credentials, `${basename(dirname(file))}_${basename(file)}`);
  return existsSync(handedOver) ? handedOver : file;
}
