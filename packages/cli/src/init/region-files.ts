import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { describeModules, describePlan, type ModulesFile, type Plan } from "@reveille/runtime";

import { filesOf, type RenderedFile } from "../render/files-of.ts";
import { nextSteps } from "./next-steps.ts";

const DEPLOY = join(import.meta.dirname, "../../../../deploy");

/** Everything a region needs on its machines, in Prometheus and in DNS, but for secrets and certificates. */
export async function regionFiles(plan: Plan, modules: ModulesFile): Promise<readonly RenderedFile[]> {
  const units = await copiesOf("systemd");
  return [
    { path: "plan.yaml", text: describePlan(plan) },
    { path: "modules.yaml", text: describeModules(modules) },
    ...(await filesOf(plan, modules)),
    ...plan.hosts.flatMap(({ name }) =>
      units.map(({ path, text }) => ({ path: join(name, "systemd", path), text })),
    ),
    { path: "prometheus/reveille.yml", text: scrapeOf(plan) },
    ...(await copiesOf("prometheus/rules")).map(({ path, text }) => ({
      path: join("prometheus/rules", path),
      text,
    })),
    { path: "NEXT-STEPS.md", text: nextSteps(plan, modules) },
  ];
}

async function copiesOf(folder: string): Promise<readonly RenderedFile[]> {
  const entries = await readdir(join(DEPLOY, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    files
      .toSorted((one, other) => one.localeCompare(other))
      .map(async (file) => ({
        path: file.slice(join(DEPLOY, folder).length + 1),
        text: await readFile(file, "utf8"),
      })),
  );
}

/** For `scrape_configs` of Prometheus; the rules want these labels. */
const scrapeOf = ({
  region,
  hosts,
}: Plan): string => `# Belongs into Prometheus' scrape_configs; rules/ into its rule_files.
scrape_configs:
  - job_name: reveille
    scrape_timeout: 5s
    static_configs:
${hosts.map(({ inside }) => `      - targets: ["${inside}:9464"]\n        labels: { region: "${region}" }`).join("\n")}
`;
