import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Program } from "@reveille/testkit";
import { expect, vi } from "vitest";

export interface Run {
  readonly code: number;
  readonly said: string;
}

export function run(command: string, ...args: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    const child = execFile(command, [...args], { env }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, said: stdout + stderr }),
    );
  });
}

/** A host that systemd has booted. */
export interface BootedHost extends AsyncDisposable {
  /** Runs a program on it. */
  readonly run: (command: string, ...args: readonly string[]) => Promise<Run>;
}

/** This machine's files with nothing over them yet, in memory. $1: folder to work in. */
const LAY = `
mount -t tmpfs tmpfs "$1" && mkdir "$1/over" "$1/work" "$1/root" &&
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/over,workdir=$1/work" "$1/root"`;

/** A program in a container of these files, without network. Mounts and processes are in namespaces that end with us. */
const CONTAIN = `exec systemd-nspawn --quiet --directory="$1/root" --machine="\${1##*/}" --register=no --keep-unit \\
  --private-network --console=pipe`;

/** systemd, with the files of `layer` over the others. $2: layer. */
const BOOT = `${LAY} &&
cp -a "$2/." "$1/root" && : >"$1/root/etc/machine-id" &&
${CONTAIN} /lib/systemd/systemd systemd.unit=multi-user.target systemd.log_target=journal`;

const IN_NAMESPACES = ["--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"];
const env = { ...process.env, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1" };

/** Why no host can be booted on this machine, if none can. */
export async function whyNoBoot(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "booting a host needs root";
  const folder = await mkdtemp(join(tmpdir(), "reveille-boot-"));
  const trial = ["sh", "-c", `${LAY} && ${CONTAIN} /bin/true`, "sh", folder];
  const { code, said } = await run("unshare", ...IN_NAMESPACES, ...trial);
  await rm(folder, { recursive: true });
  return code === 0 ? undefined : `this machine lets no container run: ${said.trim()}`;
}

/** Boots a host of this machine's files and those of `layer`, without network. Needs root and `systemd-container`. */
export async function bootHost(layer: string): Promise<BootedHost> {
  const folder = await mkdtemp(join(tmpdir(), "reveille-boot-"));
  const container = await Program.start({
    name: "container",
    command: "unshare",
    args: [...IN_NAMESPACES, "sh", "-c", BOOT, "sh", folder, layer],
    env,
    debianPackage: "systemd-container",
  });
  await using starting = new AsyncDisposableStack();
  starting.defer(async () => rm(folder, { recursive: true }));
  starting.defer(async () => container.kill());
  // unshare → systemd-nspawn → systemd
  const init = async (): Promise<string> => childOf(await childOf(String(container.pid)));
  const runThere: BootedHost["run"] = async (command, ...args) =>
    // Its root folder is not that of its mount namespace where the tests themselves run in a changed root.
    run("nsenter", "--target", await init(), "--all", "--root", "--wd", command, ...args);
  await vi.waitFor(
    async () =>
      expect((await runThere("systemctl", "is-system-running")).said).toMatch(/^(?:running|degraded)\n$/),
    { timeout: 120_000, interval: 200 },
  );
  const booted = starting.move();
  return { run: runThere, [Symbol.asyncDispose]: () => booted.disposeAsync() };
}

async function childOf(pid: string): Promise<string> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return children.split(" ")[0] ?? "";
}

const CHECKOUT = join(import.meta.dirname, "../../..");

/**
 * The files of a new machine on which the packages are there and the installer has run, which needs a network; for `bootHost`.
 * `without`: services of this machine, which has them for other tests, that the new one is not to have.
 */
export async function anInstalledMachine(folder: string, without: readonly string[]): Promise<string> {
  const layer = join(folder, "layer");
  const units = join(layer, "etc/systemd/system");
  await mkdir(join(units, "multi-user.target.wants"), { recursive: true });
  expect(await run("sh", join(CHECKOUT, "deploy/install.sh"), "--root", layer)).toMatchObject({ code: 0 });
  for (const service of without) await symlink("/dev/null", join(units, `${service}.service`));
  await writeFile(join(layer, "etc/resolv.conf"), "nameserver 127.0.0.1\n");
  return layer;
}
