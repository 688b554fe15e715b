import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Where a role of systemd's finds its secrets. */
export interface SecretPlaces {
  /** `$CREDENTIALS_DIRECTORY`: the copies that systemd made when the role started; `undefined` without systemd. */
  readonly copies: string | undefined;
  /** Where a reload puts newer copies, a numbered folder each time (`renew-secrets.ts`). */
  readonly renewed: string;
}

/** In memory, and for one unit alone: `TemporaryFileSystem=` of deploy/systemd/reveille-.service.d. */
export const RENEWED_SECRETS = "/run/reveille-secrets";

/**
 * Where a role reads the secret that the configuration calls `file`. Our units let systemd read the folders of secrets as
 * root and hand them over (`LoadCredential=apns:/etc/reveille/apns`); systemd then names a file by its folder, `apns_key.p8`
 * (systemd.exec(5)). Whatever was not handed over is read where it is.
 */
export function secretPath(file: string, { copies, renewed }: SecretPlaces = ownPlaces()): string {
  if (copies === undefined) return file;
  const name = `${basename(dirname(file))}_${basename(file)}`;
  const handedOver = secretFolders(copies, renewed).map((folder) => join(folder, name));
  return handedOver.find((path) => existsSync(path)) ?? file;
}

const ownPlaces = (): SecretPlaces => ({
  copies: process.env["CREDENTIALS_DIRECTORY"],
  renewed: RENEWED_SECRETS,
});

/** Where a copy may be, the newest first: a reload renews those files alone that have changed. */
export const secretFolders = (copies: string, renewed: string): readonly string[] => [
  ...renewalsIn(renewed).map((number) => join(renewed, String(number))),
  copies,
];

/** Numbers of the renewals so far, the newest first; none where there is no such folder. */
export function renewalsIn(renewed: string): readonly number[] {
  try {
    return readdirSync(renewed)
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .toSorted((one, other) => other - one);
  } catch {
    // A unit that runs since before this release has no such folder.
    return [];
  }
}
