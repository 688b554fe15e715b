import { z } from "zod";

import { type Config, configSchema } from "./config.ts";
import { asYaml } from "./hint.ts";

/** The effective configuration as YAML that `parseConfig` reads back to the same. Secrets are paths. */
export const describeConfig = (config: Config): string => asYaml(z.encode(configSchema, config));
