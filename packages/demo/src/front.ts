import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { launchProsody, type Program } from "@reveille/testkit";

import { FRONT_HOST } from "./names.ts";
import { machineSettings, type MachineSettings } from "./prosody-settings.ts";

const REPOSITORY = join(import.meta.dirname, "../../..");
const CLI = join(REPOSITORY, "packages/cli/src/main.ts");
/** Its region is the local one: `REGION_HOST` and `FRONT_HOST`. */
const PLAN = join(REPOSITORY, "deploy/plan.example.yaml");
const SECRET_FILE = "/etc/reveille/front/component.secret";

export interface FrontOptions extends Omit<MachineSettings, "dataFolder"> {
  /** Its configuration and data. */
  readonly folder: string;
  readonly logFile: string;
  readonly secretFile: string;
  readonly componentPort: number;
  /** Further components, which play users' servers without s2s; they use the secret of the front. */
  readonly doubles: readonly string[];
}

/** The front's configuration for production, as `reveille render` makes it of the plan in `deploy`, with our secret. */
export async function renderFront(folder: string, secretFile: string): Promise<string> {
  await promisify(execFile)(process.execPath, [CLI, "render", PLAN, "--out", folder]);
  const rendered = await readFile(join(folder, FRONT_HOST, "prosody.cfg.lua"), "utf8");
  return rendered.replaceAll(SECRET_FILE, secretFile);
}

/** Prosody as the region's front: the production configuration, and after it what differs on this machine. */
export async function startFront(options: FrontOptions): Promise<Program> {
  const { folder, componentPort, secretFile, doubles } = options;
  const dataFolder = join(folder, "data");
  await mkdir(dataFolder, { recursive: true });
  await writeFile(join(folder, "front.cfg.lua"), await renderFront(join(folder, "rendered"), secretFile));
  const secret = (await readFile(secretFile, "utf8")).trim();
  const configFile = join(folder, "prosody.cfg.lua");
  await writeFile(
    configFile,
    [
      `Include "front.cfg.lua"`,
      machineSettings({ ...options, dataFolder }),
      `component_ports = { ${componentPort} }`,
      `component_interfaces = { "127.0.0.1" }`,
      ...doubles.map((double) => `Component "${double}"\n  component_secret = "${secret}"`),
    ].join("\n"),
    { mode: 0o600 },
  );
  return launchProsody("front", configFile, componentPort, options.logFile);
}
