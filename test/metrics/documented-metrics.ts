import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A row of docs/metrics.md. */
export interface DocumentedMetric {
  readonly name: string;
  readonly type: string;
  /** Labels with the values they may take; none where they come from the configuration. */
  readonly labels: ReadonlyMap<string, readonly string[]>;
}

const FILE = join(import.meta.dirname, "../../docs/metrics.md");
const ROW = /^\| `(\w+)` \| (\w+) \| (.*?) \|/gm;
const LABEL = /`(\w+)`(?: \(([^)]*)\))?/g;

/** Every metric that docs/metrics.md lists, by name. */
export function documentedMetrics(): ReadonlyMap<string, DocumentedMetric> {
  const rows = readFileSync(FILE, "utf8").matchAll(ROW);
  return new Map(
    [...rows].map(([, name = "", type = "", labels = ""]) => [
      name,
      {
        name,
        type,
        labels: new Map(
          [...labels.matchAll(LABEL)].map(([, label = "", values = ""]) => [
            label,
            values === "" ? [] : values.split(", "),
          ]),
        ),
      },
    ]),
  );
}
