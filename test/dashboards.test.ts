import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { documentedMetrics } from "./metrics/documented-metrics.ts";
import { asAsked, dashboardFiles, queriesOf, readDashboard } from "./metrics/dashboards.ts";
import { at, field } from "./metrics/fields.ts";
import { promtool } from "./metrics/promtool.ts";
import { unknownIn } from "./metrics/promql.ts";
import { rules } from "./metrics/rules.ts";

const recorded = new Set(rules().flatMap(({ kind, name }) => (kind === "record" ? [name] : [])));

describe.each(dashboardFiles())("the dashboard %s", (file) => {
  const queries = queriesOf(file);

  it("asks for metrics, labels and values that exist", () => {
    const unknown = queries.flatMap(({ panel, expression }) =>
      unknownIn(expression, recorded).map((what) => `${panel}: ${what}`),
    );
    expect(unknown).toEqual([]);
    expect(queries.length).toBeGreaterThan(20);
  });

  it("asks in PromQL, for the regions that were chosen", async () => {
    const text = queries
      .map(({ expression }, index) => {
        return `      - { record: "panel:${index}:x", expr: ${JSON.stringify(asAsked(expression))} }`;
      })
      .join("\n");
    await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-dashboard-"));
    const rulesFile = join(folder.path, "panels.yml");
    await writeFile(rulesFile, `groups:\n  - name: panels\n    rules:\n${text}\n`);
    expect(await promtool("check", "rules", rulesFile)).toContain("SUCCESS");
    expect(queries.filter(({ expression }) => !expression.includes(`region=~"$region"`))).toEqual([]);
  });

  it("names in its legends only labels that are left", () => {
    const wrong = queries.filter(({ expression, legend }) => {
      const grouped = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = ""]) =>
        list.split(", "),
      );
      const left = new Set([...grouped, ...(expression.includes(" by ") ? [] : ["instance"])]);
      return [...legend.matchAll(/\{\{(\w+)\}\}/g)].some(([, label = ""]) => !left.has(label));
    });
    expect(wrong).toEqual([]);
  });

  it("places its panels beside each other, not on top of each other", () => {
    const cells = at(readDashboard(file), "panels").flatMap((panel) => {
      const place = (name: string): number => Number(field(field(panel, "gridPos"), name));
      return Array.from({ length: place("w") * place("h") }, (_none, index) => {
        const [x, y] = [place("x") + (index % place("w")), place("y") + Math.floor(index / place("w"))];
        return `${x} ${y}`;
      });
    });
    expect(new Set(cells).size).toBe(cells.length);
  });

  it("shows all that an operator of the path has to see", () => {
    const shown = queries.map(({ expression }) => expression).join("\n");
    const ofThePath = [...documentedMetrics().keys()].filter((name) =>
      /host_ready|publishes|replies|deliveries|latency|queue|trailing_devices|held|breaker|connections|goaway|redis_(memory|replicas|sentinels)|expiry|component_state$|self_ping_seconds|build_info/.test(
        name,
      ),
    );
    expect(ofThePath.filter((name) => !shown.includes(name))).toEqual([]);
  });
});
