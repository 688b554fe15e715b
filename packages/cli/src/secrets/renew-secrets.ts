import { execFile } from "node:child_process";
import { chown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";

import { reasonOf } from "../terminal/reason-of.ts";
import { RENEWED_SECRETS, renewalsIn, secretFolders } from "./secret-path.ts";

/** What became of the copies of secrets that systemd made when a role started. */
export type Renewal =
  /** None differs from its source, or the role reads the sources themselves. */
  | { readonly kind: "same" }
  /** The role sees these files as they are now. */
  | {
      readonly kind: "renewed";
      readonly files: readonly string[];
      /** The role works by them. */
      readonly keep: () => Promise<void>;
      /** The role has refused them: it goes on seeing those of before. */
      readonly drop: () => Promise<void>;
    }
  /** These differ from the role's copies, and only a restart changes that. */
  | { readonly kind: "stale"; readonly files: readonly string[]; readonly because: string };

/** For tests: elsewhere than in `/proc`, and without systemd. */
export interface RenewOptions {
  readonly proc?: string;
  /** The text of a unit's files. */
  readonly textOf?: (unit: string) => Promise<string>;
}

/**
 * Copies secrets that have changed on disk since systemd copied them for the process `pid` into the memory that its unit has
 * for that (`TemporaryFileSystem=` in deploy/systemd/reveille-.service.d): systemd 252 makes its own copies once, when the
 * unit starts. Needs root. A process that is not of systemd, or is none, has nothing to renew.
 */
export async function renewSecrets(pid: number, options: RenewOptions = {}): Promise<Renewal> {
  const { proc = "/proc", textOf = askSystemd } = options;
  const home = join(proc, String(pid));
  const environment = await readFile(join(home, "environ"), "utf8").catch(() => "");
  const [, copies] = /(?:^|\0)CREDENTIALS_DIRECTORY=([^\0]+)/.exec(environment) ?? [];
  const unit = unitIn(await readFile(join(home, "cgroup"), "utf8").catch(() => ""));
  if (copies === undefined || unit === undefined) return { kind: "same" };
  const sources = await sourcesOf(await textOf(unit));
  const root = join(home, "root");
  const renewed = join(root, RENEWED_SECRETS);
  const changed = await changedOf(sources, secretFolders(join(root, copies), renewed));
  if (changed.length === 0) return { kind: "same" };
  try {
    const put = await putCopies(changed, renewed, await ownerOf(home));
    return { kind: "renewed", files: changed.map(({ file }) => file), ...put };
  } catch (error) {
    // Of a unit that runs since before this release, or for a user that is not root.
    const because = `${reasonOf(error)}; restart it: systemctl restart ${unit}`;
    return { kind: "stale", files: changed.map(({ file }) => file), because };
  }
}

/** `reveille-worker@1.service` of `0::/system.slice/…/reveille-worker@1.service`. */
const unitIn = (cgroup: string): string | undefined => /\/([^/\n]+\.service)$/m.exec(cgroup)?.[1];

const askSystemd = (unit: string): Promise<string> =>
  new Promise((resolve, reject) => {
    // `systemctl show` calls the property unprintable.
    execFile("systemctl", ["cat", unit], (error, said) => {
      if (error === null) resolve(said);
      else reject(new Error(`systemctl does not tell what ${unit} is`, { cause: error }));
    });
  });

interface Source {
  /** What systemd calls the copy: `apns_AuthKey.p8`. */
  readonly name: string;
  readonly file: string;
}

async function sourcesOf(unit: string): Promise<readonly Source[]> {
  const listed = [...unit.matchAll(/^LoadCredential=([^:\s]+):(\/.*?)\s*$/gm)];
  return (await Promise.all(listed.map(([, id = "", path = ""]) => sourcesIn(id, path)))).flat();
}

/** Names as systemd makes them (systemd.exec(5), `LoadCredential=`). */
async function sourcesIn(id: string, path: string): Promise<readonly Source[]> {
  if (!(await stat(path)).isDirectory()) return [{ name: id, file: path }];
  const below = await readdir(path, { recursive: true, withFileTypes: true });
  return below
    .filter((one) => !one.isDirectory())
    .map((one) => join(one.parentPath, one.name))
    .map((file) => ({ file, parts: relative(path, file).split("/") }))
    .filter(({ parts }) => !parts.some((part) => part.startsWith(".")))
    .map(({ file, parts }) => ({ file, name: [id, ...parts].join("_") }));
}

interface Changed extends Source {
  readonly content: Buffer;
}

async function changedOf(
  sources: readonly Source[],
  folders: readonly string[],
): Promise<readonly Changed[]> {
  const read = await Promise.all(
    sources.map(async (source) => ({ ...source, content: await readFile(source.file) })),
  );
  const copies = await Promise.all(read.map(async ({ name }) => copyOf(name, folders)));
  return read.filter(({ content }, index) => copies[index]?.equals(content) !== true);
}

async function copyOf(name: string, folders: readonly string[]): Promise<Buffer | undefined> {
  for (const folder of folders) {
    const copy = await readFile(join(folder, name)).catch(() => undefined);
    if (copy !== undefined) return copy;
  }
  return undefined;
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

async function ownerOf(home: string): Promise<Owner> {
  const status = await readFile(join(home, "status"), "utf8");
  const idOf = (kind: string): number =>
    Number(new RegExp(`^${kind}:\\t\\d+\\t(\\d+)`, "m").exec(status)?.[1]);
  return { uid: idOf("Uid"), gid: idOf("Gid") };
}

async function putCopies(changed: readonly Changed[], renewed: string, { uid, gid }: Owner) {
  const older = renewalsIn(renewed);
  const folder = join(renewed, String((older[0] ?? 0) + 1));
  const hidden = `${folder}.new`;
  await rm(hidden, { recursive: true, force: true });
  await mkdir(hidden, { mode: 0o500 });
  for (const { name, content } of changed) {
    await writeFile(join(hidden, name), content, { mode: 0o400 });
    await chown(join(hidden, name), uid, gid);
  }
  await chown(hidden, uid, gid);
  // At once: a role that looks meanwhile sees all of them or none.
  await rename(hidden, folder);
  return {
    keep: async () => {
      const paths = older.flatMap((number) => changed.map(({ name }) => join(renewed, String(number), name)));
      await Promise.all(paths.map((path) => rm(path, { force: true })));
    },
    drop: async () => rm(folder, { recursive: true, force: true }),
  };
}
