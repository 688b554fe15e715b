import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const CHECKOUT = join(import.meta.dirname, "../../..");
const SCRIPT = join(CHECKOUT, "deploy/local/debian-root.sh");
const CACHE = join(CHECKOUT, ".reveille/debian");

export interface DebianRootOptions {
  /** The release: `bookworm` is Debian 12, `trixie` is Debian 13. */
  readonly suite: "bookworm" | "trixie";
  /** Names of Debian packages to install, without recommended ones. */
  readonly packages: readonly string[];
}

/** Why no root folder of a Debian release can be made or used here; `undefined` if it can. */
export async function whyNoDebianRoot(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "a root folder of another Debian release needs root";
  try {
    await access("/usr/sbin/debootstrap");
    await run("unshare", ["--mount", "true"]);
    return undefined;
  } catch (error) {
    return `a root folder of another Debian release needs debootstrap and mount namespaces: ${String(error).trim()}`;
  }
}

/**
 * The path of a folder with the files of a Debian release and of `packages`. Made on first use, in about three minutes,
 * and kept in `.reveille/debian` of the checkout; tests share it, so change nothing in it (`inDebianRoot` keeps changes out).
 */
export async function debianRoot({ suite, packages }: DebianRootOptions): Promise<string> {
  const names = packages.toSorted();
  const key = createHash("sha256").update(names.join(" ")).digest("hex").slice(0, 8);
  const folder = join(CACHE, `${suite}-${key}`);
  await run("sh", [SCRIPT, suite, folder, ...names]);
  return folder;
}

/** A command line for `spawn`. */
export interface CommandLine {
  readonly command: string;
  readonly args: readonly string[];
}

export interface InDebianRoot extends CommandLine {
  /** The folder from `debianRoot`. */
  readonly root: string;
  /** Folders of this machine that are in the root under the same path and are written to. */
  readonly shared?: readonly string[];
}

/**
 * $0: root, $1: number of shared folders, then those, then the command line. What the program writes elsewhere goes to a
 * layer in memory and ends with it. /sys, /proc, /dev, /etc/resolv.conf and /etc/hosts are those of this machine.
 */
const ENTER = `
layers=/tmp/reveille-layers; mkdir -p "$layers"; mount -t tmpfs tmpfs "$layers" && mkdir "$layers/upper" "$layers/work" "$layers/root"
mount -t overlay overlay -o "lowerdir=$0,upperdir=$layers/upper,workdir=$layers/work" "$layers/root"
for folder in /proc /sys /dev; do mount --rbind "$folder" "$layers/root$folder"; done
for file in /etc/resolv.conf /etc/hosts; do rm -f "$layers/root$file"; : >"$layers/root$file"; mount --bind "$file" "$layers/root$file"; done
count=$1; shift
while [ "$count" -gt 0 ]; do
  mkdir -p "$layers/root$1"; mount --rbind "$1" "$layers/root$1"; shift; count=$((count - 1))
done
exec chroot "$layers/root" "$@"`;

/**
 * Runs a command in a root folder: its files, this machine's network and processes. Mounts are in a namespace that ends
 * with the command; signals reach the command itself. Of `Program.start` the environment is the command's, `folder` is not.
 */
export function inDebianRoot({ root, shared = [], command, args }: InDebianRoot): CommandLine {
  const script = ["sh", "-euc", ENTER, root, String(shared.length), ...shared];
  return { command: "unshare", args: ["--mount", ...script, command, ...args] };
}
