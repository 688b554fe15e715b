import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { promtool } from "./metrics/promtool.ts";
import { unknownIn } from "./metrics/promql.ts";
import { PROMETHEUS, ruleFiles, rules, ruleTests, testFiles } from "./metrics/rules.ts";

const ROOT = join(import.meta.dirname, "..");
const SECTIONS = ["What it means", "What users feel", "What to do", "How to check that it worked"];

const alerts = rules().filter(({ kind }) => kind === "alert");
const recorded = new Set(rules().flatMap(({ kind, name }) => (kind === "record" ? [name] : [])));

/** `ReveilleHostNotReady` → `docs/runbooks/host-not-ready.md`. */
const pageOf = (alert: string): string =>
  `docs/runbooks/${alert
    .replace(/^Reveille/, "")
    .replaceAll(/\B[A-Z]/g, (letter) => `-${letter}`)
    .toLowerCase()}.md`;

/** Headings of a page that have a text below them. */
const sectionsOf = (page: string): readonly string[] =>
  [...readFileSync(join(ROOT, page), "utf8").matchAll(/^## (.+)\n\n(?!#)\S/gm)].map(
    ([, title = ""]) => title,
  );

describe("the alerts", () => {
  // Debian 13's promtool takes most of a minute for them on a busy machine.
  it("and their tests hold, says promtool", { timeout: 240_000 }, async () => {
    await promtool("check", "config", join(PROMETHEUS, "prometheus.yml"));
    expect(await promtool("check", "rules", ...ruleFiles())).toContain("SUCCESS");
    expect(await promtool("test", "rules", ...testFiles())).not.toContain("FAILED");
  });

  it("each have a page that says all that somebody needs at night", () => {
    const pages = alerts.map(({ runbook }) => runbook);
    expect(alerts.map(({ name }) => pageOf(name))).toEqual(pages);
    expect(pages.filter((page) => !existsSync(join(ROOT, page)))).toEqual([]);
    for (const page of pages) expect([page, sectionsOf(page)]).toEqual([page, SECTIONS]);
  });

  it("each link to the page by an address that leads there from anywhere, whose base an external label sets", () => {
    const files = ruleFiles().map((file) => readFileSync(file, "utf8"));
    const links = files.flatMap((text) => [
      ...text.matchAll(
        /runbook: docs\/(\S+)\n +runbook_url: '\{\{ or \$externalLabels\.reveille_docs "([^"]+)" \}\}\/(\S+)'/g,
      ),
    ]);
    // Alerts of several severities share their annotations.
    expect(links).toHaveLength(files.flatMap((text) => text.match(/^ +runbook: /gm) ?? []).length);
    expect(new Set(links.map(([, page]) => `docs/${page}`))).toEqual(
      new Set(alerts.map(({ runbook }) => runbook)),
    );
    for (const [, page, base, linked] of links) {
      expect(linked).toBe(page);
      expect(base).toBe("file:///opt/reveille/current/docs");
    }
  });

  it("are grouped for Alertmanager by labels and names that there are", () => {
    const text = readFileSync(join(PROMETHEUS, "alertmanager.yml"), "utf8");
    const named = [...text.matchAll(/alertname="(\w+)"/g)].map(([, name = ""]) => name);
    expect(named.length).toBeGreaterThan(2);
    expect(named.filter((name) => !alerts.some((alert) => alert.name === name))).toEqual([]);
    const receivers = [...text.matchAll(/^ +receiver: (\S+)$/gm)].map(([, name]) => name);
    const defined = [...text.matchAll(/^ {2}- name: (\S+)$/gm)].map(([, name]) => name);
    expect(receivers.length).toBeGreaterThan(3);
    expect(receivers.filter((name) => !defined.includes(name))).toEqual([]);
    for (const severity of ["critical", "warning", "info"]) expect(text).toContain(`severity="${severity}"`);
  });

  it("are what the pages are about, and nothing else", () => {
    const wanted = new Set(alerts.map(({ runbook }) => runbook));
    const pages = globSync("docs/runbooks/*.md", { cwd: ROOT });
    expect(pages.filter((page) => !wanted.has(page))).toEqual([]);
  });

  it("each have a test in which they fire and one in which they do not", () => {
    const lacking = alerts.filter(({ name }) => {
      const ofIt = ruleTests().filter(({ alert }) => alert === name);
      return !ofIt.some(({ expected }) => expected > 0) || !ofIt.some(({ expected }) => expected === 0);
    });
    expect(lacking).toEqual([]);
    const unknown = ruleTests().filter(({ alert }) => !alerts.some(({ name }) => name === alert));
    expect(unknown).toEqual([]);
  });

  it("say how urgent they are", () => {
    expect(alerts.filter(({ severity }) => !["critical", "warning", "info"].includes(severity))).toEqual([]);
  });

  it("and recorded rates use metrics, labels and values that exist", () => {
    const unknown = rules().flatMap(({ name, expression }) =>
      unknownIn(expression, recorded).map((what) => `${name}: ${what}`),
    );
    expect(unknown).toEqual([]);
  });

  it("would be refused with a metric, a label or a value that does not exist", () => {
    const wrong = [
      "reveille_nonsense > 0",
      `rate(reveille_publishes_total{reason="queued"}[5m])`,
      `rate(reveille_publishes_total{result=~"queued|nonsense"}[5m])`,
      "sum by (nonsense) (reveille_host_ready)",
      "region:nonsense:rate5m",
    ];
    expect(wrong.map((expression) => unknownIn(expression, recorded).length)).toEqual([1, 1, 1, 1, 1]);
  });
});

describe("the runbooks", () => {
  it("name only metrics that exist, and pages that exist", () => {
    const wrong = globSync("docs/runbooks/*.md", { cwd: ROOT }).flatMap((page) => {
      const text = readFileSync(join(ROOT, page), "utf8");
      const queries = [...text.matchAll(/`([^`]*\breveille_[^`]*)`/g)].map(([, code = ""]) => code);
      const links = [...text.matchAll(/\]\(([\w-]+\.md)\)/g)].map(([, link = ""]) => link);
      return [
        ...queries.flatMap((query) => unknownIn(query, recorded)),
        ...links.filter((link) => !existsSync(join(ROOT, "docs/runbooks", link))),
      ].map((what) => `${page}: ${what}`);
    });
    expect(wrong).toEqual([]);
  });
});
