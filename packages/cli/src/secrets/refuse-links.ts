import { lstat } from "node:fs/promises";
import { join, sep } from "node:path";

/**
 * Throws an Error that names every link below `folder` on the way to one of `paths`, which are relative to it: whoever may
 * write there is not to choose what we write elsewhere. That the folder itself is a link is the caller's business.
 */
export async function refuseLinks(folder: string, paths: readonly string[]): Promise<void> {
  const steps = [...new Set(paths.flatMap(stepsTo))].map((step) => join(folder, step));
  const areLinks = await Promise.all(steps.map(isLink));
  const links = steps.filter((_step, index) => areLinks[index]);
  if (links.length === 0) return;
  throw new Error(
    `nothing was written, since these are links to other places: ${links.join(", ")}; remove them, or name another folder`,
  );
}

/** `a/b/c` → `a`, `a/b`, `a/b/c`. */
const stepsTo = (path: string): readonly string[] =>
  path.split(sep).map((_name, index, names) => join(...names.slice(0, index + 1)));

const isLink = (path: string): Promise<boolean> =>
  lstat(path).then(
    (entry) => entry.isSymbolicLink(),
    () => false,
  );
