import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { at, textAt } from "./fields.ts";

const FOLDER = join(import.meta.dirname, "../../deploy/grafana");

/** One question of a dashboard. */
export interface Query {
  readonly panel: string;
  readonly expression: string;
  readonly legend: string;
}

export const dashboardFiles = (): readonly string[] => globSync("*.json", { cwd: FOLDER });

export const readDashboard = (file: string): unknown => JSON.parse(readFileSync(join(FOLDER, file), "utf8"));

/** Everything that a dashboard asks Prometheus. */
export const queriesOf = (file: string): readonly Query[] =>
  at(readDashboard(file), "panels").flatMap((panel) =>
    at(panel, "targets").map((target) => ({
      panel: textAt(panel, "title"),
      expression: textAt(target, "expr"),
      legend: textAt(target, "legendFormat"),
    })),
  );

/** The question with what Grafana puts in the place of its variables. */
export const asAsked = (expression: string): string =>
  expression.replaceAll("$__rate_interval", "1m").replaceAll("$region", ".*");
