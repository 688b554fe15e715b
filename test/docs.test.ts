import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

import { allKeys } from "@reveille/runtime";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const ELSEWHERE = ["**/node_modules/**", "test/output/**", ".reveille/**"];
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const sources = (pattern: string): string => globSync(pattern, { cwd: root }).map(read).join("\n");

const documents = globSync("**/*.md", { cwd: root, exclude: ELSEWHERE });
const texts = documents.map((file) => [file, read(file)] as const);
const prose = (text: string): string => text.replaceAll(/^```[\s\S]*?^```$/gm, "");
const found = (text: string, pattern: RegExp): readonly string[] =>
  [...text.matchAll(pattern)].map(([, one]) => one ?? "");

describe("every document", () => {
  it.each(texts)("%s links to what exists", (file, text) => {
    const targets = found(prose(text), /\]\(([^)\s]+)\)/g).filter((link) => !/^[a-z]+:/.test(link));
    expect(targets.filter((link) => !leadsSomewhere(file, link))).toEqual([]);
  });

  it.each(texts)("%s names files that exist", (_file, text) => {
    const paths = found(prose(text), /`((?:packages|docs|deploy|test)\/[\w./*-]+)`/g);
    expect(paths.filter((path) => globSync(path, { cwd: root }).length === 0)).toEqual([]);
  });

  it.each(texts)("%s names metrics that exist", (_file, text) => {
    expect(found(text, METRIC).filter((name) => !isMetric(name))).toEqual([]);
  });

  it.each(texts)("%s names scripts that exist", (_file, text) => {
    const named = found(text, /(?:`|^)(?:npm run|pnpm|npx pnpm@[\d.]+) ([a-z][a-z:]*)(?=[ `]|$)/gm);
    expect(named.filter((name) => !isScript(name))).toEqual([]);
  });

  it.each(texts)("%s names configuration keys that exist", (_file, text) => {
    expect(found(prose(text), KEY).filter((key) => !isKey(key))).toEqual([]);
  });
});

/** Whether a relative link leads to a file and, with an anchor, to a heading in it. */
function leadsSomewhere(file: string, link: string): boolean {
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? file : relative(root, join(root, dirname(file), path));
  if (!existsSync(join(root, target))) return false;
  if (anchor === undefined) return true;
  const headings = found(read(target), /^#+ (.+)$/gm);
  return headings.some(
    (heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^a-z0-9 -]/g, "")
        .replaceAll(" ", "-") === anchor,
  );
}

const scripts = found(
  read("package.json").split(/^ {2}"\w*[dD]ependencies"/m)[0] ?? "",
  /^ {4}"([a-z:]+)": /gm,
);
const isScript = (name: string): boolean => [...scripts, "install", "deploy"].includes(name);

const METRIC = /\b(reveille_[a-z_]+[a-z])\b/g;
const metrics = new Set(found(read("docs/metrics.md"), /^\| `([a-z_]+)` \|/gm));
const isMetric = (name: string): boolean => metrics.has(name.replace(/_(?:bucket|sum|count)$/, ""));

const sections = [...new Set(allKeys().map((key) => key.split(".")[0] ?? ""))];
const KEY = new RegExp(`\`((?:${sections.join("|")})\\.[A-Za-z*][\\w.*]*)[\`: ]`, "g");
const isKey = (key: string): boolean =>
  allKeys().some((known) => known === key || known.startsWith(`${key}.`)) ||
  /\.(?:ts|cfg|conf|yaml)$/.test(key);

/** They sound like events: what may come of a canary's round, and what a label of a metric may be. */
const NO_EVENTS: readonly string[] = ["front-failed", "our-trouble"];

describe("docs/log-events.md", () => {
  const rows = found(read("docs/log-events.md"), /^(\| `.*)$/gm).map((row) =>
    row.split("|").map((cell) => cell.trim()),
  );
  const code = sources("packages/runtime/src/log/log-*.ts");

  it("has every event, and no other", () => {
    const listed = rows.flatMap(([, events = ""]) => found(events, /`([a-z-]+)`/g));
    const kinds = found(read("packages/runtime/src/by-stage.ts"), /case "([a-z-]+)":/g);
    expect(listed.toSorted()).toEqual(kinds.toSorted());
  });

  it.each(texts)("%s names events that exist", (_file, text) => {
    const kinds = found(read("packages/runtime/src/by-stage.ts"), /case "([a-z-]+)":/g);
    const verbs = new Set(kinds.map((kind) => kind.replace(/.*-/, "")));
    const named = found(text, /`([a-z]+(?:-[a-z]+)+)`/g).filter((name) => verbs.has(name.replace(/.*-/, "")));
    expect(named.filter((name) => !kinds.includes(name) && !NO_EVENTS.includes(name))).toEqual([]);
  });

  it("has every message, and no other", () => {
    const messages = found(code, /"([a-z][a-z' -]+ [^"]*)",?\s*\)/g);
    const listed = rows.map(([, , message = ""]) => message).join(", ");
    expect(messages.filter((message) => !listed.includes(message))).toEqual([]);
    const rest = messages
      .toSorted((a, b) => b.length - a.length)
      .reduce((text, one) => text.replaceAll(one, ""), listed);
    expect(rest.replaceAll(/[, ]/g, "")).toBe("");
  });
});

describe("docs/doctor.md", () => {
  const rows = found(read("docs/doctor.md"), /^(\| `.*)$/gm).map((row) => row.split(" | "));
  const items = rows.flatMap(([first = ""]) => found(first, /`([^`]+)`/g));
  // What the code writes of each item, up to the first name that it fills in.
  const written = found(
    sources("packages/cli/src/{doctor,commands}/!(*.test).ts"),
    /(?:about\(|judgeClock\(|item = |itemOf = .*=>\s*|item = .*=> )["`]([^"`$]+)/g,
  );

  it("has every item that the doctor names, and no other", () => {
    expect(written.length).toBeGreaterThan(20);
    expect(written.filter((text) => !items.some((item) => item.startsWith(text)))).toEqual([]);
    const isWritten = (item: string): boolean => written.some((text) => item.startsWith(text));
    expect(items.filter((item) => !isWritten(item) && !["ROLE PID", "UNIT"].includes(item))).toEqual([]);
  });

  it.each(rows.flatMap(([item = "", , test = ""]) => (test.startsWith("–") ? [] : [[item, test] as const])))(
    "names a test that breaks %s",
    (_item, test) => {
      const [, file = "", title = ""] = /^`([^`]+)`: "(.*)" \|$/.exec(test) ?? [];
      expect(read(`packages/cli/src/doctor/${file}`)).toContain(`"${title}"`);
    },
  );
});

describe("docs/architecture.md", () => {
  const text = read("docs/architecture.md");

  it("names files and folders in its pictures that exist", () => {
    const named = found(text, /(?:^|[ `])((?:packages|deploy|docs)\/[\w./-]*[\w-])/gm);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it("has a picture for each concern of its table, and no other", () => {
    const listed = found(text, /^\|.*\[([^\]]+)\]\(#/gm);
    expect(found(text, /^## (.+)$/gm)).toEqual(listed);
  });
  const drawn = new Set(found(text, /--> (\w+)/g));

  it.each(["reveille_push_connection_changes_total", "reveille_component_state"])(
    "draws every state of %s",
    (metric) => {
      const row =
        read("docs/metrics.md")
          .split("\n")
          .find((line) => line.startsWith(`| \`${metric}\``)) ?? "";
      const states = /`state` \(([^)]+)\)/.exec(row)?.[1]?.split(", ") ?? [];
      expect(states.length).toBeGreaterThan(3);
      expect(states.filter((state) => !drawn.has(state))).toEqual([]);
    },
  );

  it("draws every state of a device and every verdict", () => {
    const states = found(read("packages/admission/src/device-state.ts"), /\{ readonly kind: "([a-z]+)"/g);
    expect(new Set(states).size).toBe(4);
    expect(states.filter((state) => !drawn.has(state))).toEqual([]);
    const verdicts = found(read("packages/wakeup/src/verdict.ts"), /readonly kind: "([a-z-]+)"/g);
    expect(verdicts.length).toBeGreaterThan(3);
    expect(verdicts.filter((verdict) => !text.includes(verdict))).toEqual([]);
  });
});

describe("a newcomer", () => {
  const table = read("docs/CONTRIBUTING.md");

  it("finds docs/CONTRIBUTING.md from the top", () => {
    expect(read("README.md")).toContain("](docs/CONTRIBUTING.md)");
  });

  it.each([
    ["reply", "packages/ingress/src/reply.ts", "The device token is no longer valid."],
    ["metric", "packages/runtime/src/metrics/", "reveille_publishes_total"],
    ["payload", "packages/push-services/src/apns/notification.ts", "mutable-content"],
    ["Lua script", "packages/admission/src/*.lua", "redis.call"],
    ["alert", "deploy/prometheus/rules/reveille.alerts.yml", "alert: ReveilleBreakerOpen"],
    ["default", "packages/runtime/src/config/config.ts", 'window: someTime.prefault("20s")'],
  ])("finds there where to change a %s", (what, place, text) => {
    const row = table.split("\n").find((line) => line.startsWith("|") && line.includes(`**${what}**`));
    expect(row).toContain(`\`${place}\``);
    expect(sources(place.endsWith("/") ? `${place}*.ts` : place)).toContain(text);
  });
});

describe("the README of a package", () => {
  const packages = globSync("packages/*/package.json", { cwd: root }).map(dirname);

  it.each(packages)(
    "is there in %s, and says what happens when something fails and what was decided",
    (folder) => {
      const text = read(join(folder, "README.md"));
      expect(text).toMatch(/^(?:## |\*\*)(?:Failure modes|When (?:it|something|things) fails?)/m);
      expect(text).toMatch(/^(?:## |\*\*)Decisions/m);
    },
  );

  it.each(packages)("of %s is linked from the top", (folder) => {
    expect(read("README.md")).toContain(`](${folder})`);
  });
});

describe("decision records", () => {
  const records = globSync("docs/decisions/*.md", { cwd: root });

  it("have a number each", () => {
    const numbers = records.map((file) => /\/(\d{4})-/.exec(file)?.[1]);
    expect(numbers.filter((number, index) => numbers.indexOf(number) !== index)).toEqual([]);
  });

  it.each(records)("%s has its four parts in at most 40 lines", (file) => {
    const text = read(file);
    expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(40);
    expect(text).toMatch(new RegExp(`^# ${/\/(\d{4})-/.exec(file)?.[1]} \\S`));
    for (const part of [
      "Context",
      "Decision",
      "(?:What we gave|Given) up",
      "How we would notice it was wrong",
    ]) {
      expect(text).toMatch(new RegExp(`^\\*\\*${part}\\.\\*\\*`, "m"));
    }
  });
});
