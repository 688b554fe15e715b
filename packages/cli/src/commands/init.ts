import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { parseModules, parsePlan } from "@reveille/runtime";

import { collectAnswers, type InitOptions } from "../init/answers.ts";
import { askNobody, askPeople, type Asker } from "../init/ask.ts";
import { regionFiles } from "../init/region-files.ts";
import { refuseLinks } from "../secrets/refuse-links.ts";
import { type RenderedFile } from "../render/files-of.ts";
import { writeSecrets } from "../render/region-secrets.ts";
import { writeRendered } from "../render/write-rendered.ts";

/** `reveille init`. Throws a `ConfigError` for answers that do not go together, and writes nothing then. */
export async function runInit(options: InitOptions): Promise<void> {
  using asker = options.yes ? askNobody : askPeople(process.stdin, process.stderr);
  const answers = await collectAnswers(options, asker);
  // JSON is YAML, so these find what our schemas have against the answers as a whole.
  const plan = parsePlan(JSON.stringify(answers.plan), "the plan made of your answers");
  const modules = parseModules(JSON.stringify(answers.modules), "the modules made of your answers");
  const files = await regionFiles(plan, modules);
  await refuseLinks(
    options.out,
    files.map(({ path }) => path),
  );
  const changed = await differingFrom(options.out, files);
  await consentTo(
    changed.filter(({ isThere }) => isThere).map(({ path }) => path),
    options,
    asker,
  );
  await writeRendered(options.out, changed);
  const secrets = await writeSecrets(options.out, plan);
  for (const path of secrets) process.stdout.write(`${join(options.out, path)}\n`);
  process.stderr.write(
    `${changed.length + secrets.length} files written; read ${join(options.out, "NEXT-STEPS.md")}\n`,
  );
}

type Changed = RenderedFile & { readonly isThere: boolean };

/** The files that are not there yet, or with another text. */
async function differingFrom(folder: string, files: readonly RenderedFile[]): Promise<readonly Changed[]> {
  const compared = await Promise.all(
    files.map(async (file) => ({ file, there: await textOf(join(folder, file.path)) })),
  );
  return compared
    .filter(({ file, there }) => there !== file.text)
    .map(({ file, there }) => ({ ...file, isThere: there !== undefined }));
}

const textOf = (file: string): Promise<string | undefined> => readFile(file, "utf8").catch(() => undefined);

/** Throws an Error, with nothing written, unless the files may be overwritten. */
async function consentTo(
  paths: readonly string[],
  { overwrite, yes }: InitOptions,
  { ask }: Asker,
): Promise<void> {
  if (paths.length === 0 || overwrite) return;
  const question = {
    text: `These are there with another text: ${paths.join(", ")}. Overwrite them? yes or no`,
    accepts: (text: string) => text === "yes" || text === "no",
    wanted: "yes or no",
    otherwise: "no",
  };
  if (!yes && (await ask(question)) === "yes") return;
  throw new Error(
    `nothing was written, since these are there with another text: ${paths.join(", ")}; --overwrite replaces them`,
  );
}
