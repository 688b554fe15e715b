import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  type CertificateAuthority,
  issueCertificate,
  makeSigningKey,
  openCertificateAuthority,
} from "@reveille/testkit";

import { CANARY_DOMAIN, FRONT_HOST, REGION_HOST, SENDER_DOMAIN } from "./names.ts";

const REPOSITORY = join(import.meta.dirname, "../../..");

/** Where everything local stays: ignored by git, safe to delete while nothing runs. */
export const DATA_FOLDER = join(REPOSITORY, ".reveille");

/** Files of one region: its data and logs, certificates, and a short folder for sockets. */
export interface Workplace extends AsyncDisposable {
  readonly folder: string;
  readonly logFolder: string;
  readonly certificateFolder: string;
  readonly authority: CertificateAuthority;
  /** The secret between a server and its component: front and ingress, sender and canary. */
  readonly secretFile: string;
  /** Signs provider tokens; the APNs simulator accepts no other. */
  readonly signingKey: { readonly file: string; readonly keyId: string; readonly teamId: string };
  /** Under the system's temporary folder, since a socket's path holds no more than 107 characters (unix(7)). */
  readonly socketFolder: string;
  /** Makes a folder for the data of one program. */
  readonly dataFolder: (program: string) => Promise<string>;
  readonly logFile: (program: string) => string;
}

/** Empties `folder` and furnishes it. The test CA is made at the first call on this machine. */
export async function openWorkplace(folder: string): Promise<Workplace> {
  await rm(folder, { recursive: true, force: true });
  const logFolder = join(folder, "log");
  await mkdir(logFolder, { recursive: true });
  const authority = await openCertificateAuthority(join(DATA_FOLDER, "ca"));
  const certificateFolder = join(folder, "certificates");
  await Promise.all(
    [REGION_HOST, FRONT_HOST, SENDER_DOMAIN, CANARY_DOMAIN].map(async (name) =>
      issueCertificate(authority, certificateFolder, name),
    ),
  );
  const secretFile = join(folder, "component.secret");
  await writeFile(secretFile, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600 });
  const signingKey = {
    file: join(folder, "AuthKey_LOCAL12345.p8"),
    keyId: "LOCAL12345",
    teamId: "TEAMLOCAL1",
  };
  await makeSigningKey(signingKey.file);
  const socketFolder = await mkdtemp(join(tmpdir(), "reveille-"));
  const removeSockets = (): void => rmSync(socketFolder, { recursive: true, force: true });
  process.once("exit", removeSockets);
  return {
    folder,
    logFolder,
    certificateFolder,
    authority,
    secretFile,
    signingKey,
    socketFolder,
    dataFolder: async (program) => {
      const data = join(folder, program);
      await mkdir(data, { recursive: true });
      return data;
    },
    logFile: (program) => join(logFolder, `${program}.log`),
    [Symbol.asyncDispose]: async () => {
      process.off("exit", removeSockets);
      removeSockets();
    },
  };
}
