import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { launchProsody } from "../prosody.ts";
import { type Program } from "../program.ts";
import { machineSettings, type MachineSettings } from "./prosody-settings.ts";

const TEMPLATE = new URL("../../../../deploy/prosody/front.cfg.lua", import.meta.url);

export interface FrontOptions extends Omit<MachineSettings, "dataFolder"> {
  /** Its configuration and data. */
  readonly folder: string;
  readonly logFile: string;
  readonly hostname: string;
  readonly secretFile: string;
  readonly componentPort: number;
  /** Further components, which play users' servers without s2s; they use the secret of the front. */
  readonly doubles: readonly string[];
}

/** The configuration for production (`deploy/prosody/front.cfg.lua`), filled in. */
export async function renderFront(hostname: string, secretFile: string): Promise<string> {
  const template = await readFile(TEMPLATE, "utf8");
  return template.replaceAll("{{hostname}}", hostname).replaceAll("{{secretFile}}", secretFile);
}

/** Prosody as the region's front: the production configuration, and after it what differs on this machine. */
export async function startFront(options: FrontOptions): Promise<Program> {
  const { folder, componentPort, secretFile, doubles } = options;
  const dataFolder = join(folder, "data");
  await mkdir(dataFolder, { recursive: true });
  await writeFile(join(folder, "front.cfg.lua"), await renderFront(options.hostname, secretFile));
  const secret = (await readFile(secretFile, "utf8")).trim();
  const configFile = join(folder, "prosody.cfg.lua");
  await writeFile(
    configFile,
    [
      `Include "front.cfg.lua"`,
      machineSettings({ ...options, dataFolder }),
      `component_ports = { ${componentPort} }`,
      ...doubles.map((double) => `Component "${double}"\n  component_secret = "${secret}"`),
    ].join("\n"),
    { mode: 0o600 },
  );
  return launchProsody("front", configFile, options.logFile);
}
