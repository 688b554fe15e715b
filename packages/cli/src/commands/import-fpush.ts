import { readFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";

import { convertSettings } from "../import-fpush/convert.ts";
import { googleProjects } from "../import-fpush/google-projects.ts";
import { readSettings } from "../import-fpush/settings.ts";
import { print } from "../terminal/print.ts";
import { refuseLinks } from "../secrets/refuse-links.ts";
import { writeNew } from "../secrets/write-new.ts";

export interface ImportOptions {
  readonly out?: string;
  readonly region?: string;
  readonly host?: string;
  readonly json: boolean;
}

/** `reveille import-fpush`. Throws an Error with every mistake of the settings, and for a file that is there already. */
export async function importFpush(settingsFile: string, options: ImportOptions): Promise<void> {
  const text = await readFile(settingsFile, "utf8").catch((cause: unknown) => {
    throw new Error(`cannot read ${settingsFile}`, { cause });
  });
  const folder = resolve(options.out ?? "/etc/reveille");
  const settings = readSettings(text, settingsFile);
  const certificates = resolve(dirname(settingsFile));
  const { config, secrets, differences } = convertSettings(settings, {
    folder,
    certificates,
    projects: await googleProjects(settings, certificates),
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.host === undefined ? {} : { host: options.host }),
  });
  const files = [
    { path: join(folder, "reveille.yaml"), text: config, mode: 0o644 },
    ...secrets.map(({ path, secret }) => ({ path, text: `${secret}\n`, mode: 0o600 })),
  ];
  const paths = files.map(({ path }) => path);
  if (options.out !== undefined) {
    await refuseLinks(
      folder,
      paths.map((path) => relative(folder, path)),
    );
    await writeNew(files);
  }
  const told = differences.map((difference) => `- ${difference}`).join("\n");
  print(
    options.out === undefined ? { config, differences } : { files: paths, differences },
    options.out === undefined
      ? `${config}\n# What differs from fpush:\n${told.replaceAll(/^/gm, "# ")}`
      : `${paths.join("\n")}\n\nWhat differs from fpush:\n${told}`,
    options,
  );
}
