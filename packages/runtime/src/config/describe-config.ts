import { z } from "zod";

import { type CanaryFile, canaryFileSchema, type Config, configSchema } from "./config.ts";
import { asYaml } from "./hint.ts";

/** The effective configuration as YAML that `parseConfig` reads back to the same. Secrets are paths. */
export const describeConfig = (config: Config): string => asYaml(z.encode(configSchema, config));

/** The same of a canary's, for `parseCanaryFile`. */
export const describeCanaryFile = (file: CanaryFile): string => asYaml(z.encode(canaryFileSchema, file));
