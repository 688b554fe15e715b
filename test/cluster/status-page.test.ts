import { execFile } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { type Region, startRegion } from "@reveille/demo";
import { freePort, makeSigningKey, type Program, until } from "@reveille/testkit";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { contrastsOf, overlapsOf, textsOutside } from "./looks.ts";
import { configOfHost } from "./reloading.ts";

const OUTPUT = join(import.meta.dirname, "../output/status-page");
const WITHIN = 60_000;
/** Debian's Chromium, told to mind its own business: no updates, no synchronisation, no experiments. */
const CHROMIUM = {
  executablePath: "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};
const DESKTOP = { viewport: { width: 1_200, height: 900 } };
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, deviceScaleFactor: 2 };
const SMALL_PHONE = { viewport: { width: 320, height: 568 }, isMobile: true, deviceScaleFactor: 2 };

let region: Region;
let workers: readonly Program[];
let browser: Browser;
/** Stops the publishes that run through the region all the time. */
let stopPublishing = async (): Promise<void> => undefined;

beforeAll(async () => {
  await rm(OUTPUT, { recursive: true, force: true });
  await mkdir(OUTPUT, { recursive: true });
  [region, browser] = await Promise.all([
    startRegion({ folder: join(OUTPUT, "region"), doubles: ["sender.test", "other.test"] }),
    chromium.launch(CHROMIUM),
  ]);
  ({ workers } = region);
  stopPublishing = publishSteadily();
  // The first point of the charts comes after half a minute.
  await until(async () => ((await pointsOfHistory()) > 1 ? true : undefined), {
    what: "a point of the charts",
    withinMs: 90_000,
    everyMs: 1_000,
  });
});
afterAll(async () => {
  await stopPublishing();
  await browser.close();
  await region[Symbol.asyncDispose]();
});

function publishSteadily(): () => Promise<void> {
  let count = 0;
  const stop = new AbortController();
  const running = (async () => {
    await using server = await region.openDouble("sender.test");
    while (!stop.signal.aborted) {
      count += 1;
      const node = (count % 500).toString(16).padStart(64, "0");
      // Not waited for: an ingress that is killed answers none of what it had.
      void server.publish({ to: region.hostname, node, module: "monalProdiOS" }).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
  })();
  return async () => {
    stop.abort();
    await running;
  };
}

const statusText = async (): Promise<string> => (await fetch(`${region.statusUrl}/status.json`)).text();

const pointsOfHistory = async (): Promise<number> =>
  (await statusText()).match(/"latencyP99":/g)?.length ?? 0;

/** When the record of the charts begins, in epoch milliseconds. */
const recordBegins = async (): Promise<number> => Number(/"since":(\d+)/.exec(await statusText())?.[1]);

/** Epoch milliseconds as the page says them. */
const timeOf = (at: number): string => `${new Date(at).toISOString().slice(11, 16)} UTC`;

/** The page as somebody sees it, with all that it asked for and complained about. */
async function open(options: BrowserContextOptions) {
  const context = await browser.newContext(options);
  onTestFinished(async () => context.close());
  const page = await context.newPage();
  const asked: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => void asked.push(request.url()));
  page.on("console", (message) => void complaints.push(message.text()));
  page.on("pageerror", (error) => void complaints.push(error.message));
  await page.goto(region.statusUrl);
  return { page, asked, complaints };
}

const picture = async (page: Page, name: string): Promise<void> =>
  void (await page.screenshot({ path: join(OUTPUT, `${name}.png`), fullPage: true }));

const textOf = async (page: Page, selector: string): Promise<string> =>
  page.locator(selector).innerText({ timeout: WITHIN });

/** How much of the page lies beyond the right edge of the window. */
const overhang = (page: Page): Promise<number> =>
  page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");

/** WCAG 2.2, 1.4.3: 4.5 for text (AA). */
const unreadable = async (page: Page) => (await contrastsOf(page)).filter((one) => !(one.contrast >= 4.5));

/** What is cut off, sticks out of its card, or lies on other text. */
const misplaced = async (page: Page) => [...(await textsOutside(page)), ...(await overlapsOf(page))];

const WIDTHS = [320, 360, 390, 640, 700, 760, 833, 1_000, 1_200];
const SCHEMES = ["light", "dark"] as const;

/** All that can be wrong with the looks of the page at any width, by light and in the dark. */
async function flaws(page: Page): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme });
    found.push(...(await unreadable(page)));
  }
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    found.push(...(await misplaced(page)).map((what) => ({ width, what })));
    if ((await overhang(page)) > 0) found.push({ width, overhang: await overhang(page) });
  }
  return found;
}

describe("the status page of a running region, in Chromium", () => {
  it("says that push works, and shows the path with its rates, charts, failover and modules", async () => {
    const { page, complaints } = await open(DESKTOP);
    await expect.poll(() => textOf(page, "h1"), { timeout: WITHIN }).toBe("Push works");
    expect(await textOf(page, "header p:not(.asof)")).toContain("region eu");
    await expect
      .poll(() => page.locator(".station").allInnerTexts(), { timeout: WITHIN })
      .toEqual([
        expect.stringMatching(/^front\s+connected$/),
        expect.stringMatching(/^ingress\s+1 running$/),
        expect.stringMatching(/^queue\s+\d+ waiting/),
        expect.stringMatching(/^worker\s+2 running$/),
        expect.stringMatching(/^APNs\s+\d+ connections?$/),
      ]);
    await expect.poll(() => page.locator(".arrow.flowing").count(), { timeout: WITHIN }).toBe(4);
    expect(await page.locator(".plot").count()).toBe(2);
    expect(await page.locator("path.p50:not(.dot)").getAttribute("d")).toMatch(/^M\d/);
    expect(await page.locator("rect.delivered").count()).toBeGreaterThan(0);
    const note = `no figures before ${timeOf(await recordBegins())}, when this sidecar started`;
    expect(await page.locator(".legend .before").allInnerTexts()).toEqual([note, note]);
    const tables = (await page.locator("table").allInnerTexts()).join("\n");
    for (const text of ["served by this host", "primary", "days left", "monalProdiOS", "closed"])
      expect(tables).toContain(text);
    await picture(page, "desktop");
    expect(complaints).toEqual([]);
  });

  it("changes by itself, without being loaded again", async () => {
    const { page, asked, complaints } = await open(DESKTOP);
    let loads = 0;
    page.on("load", () => (loads += 1));
    const figures = () => textOf(page, "time");
    const before = await figures();
    await expect.poll(figures, { timeout: WITHIN }).not.toBe(before);
    const queries = asked.length;
    await expect.poll(() => asked.length, { timeout: WITHIN }).toBeGreaterThan(queries + 1);
    expect(loads).toBe(0);
    expect(new Set(asked)).toEqual(new Set([`${region.statusUrl}/`]));
    expect(complaints).toEqual([]);
  });

  it.each([
    ["phone", PHONE],
    ["small-phone", SMALL_PHONE],
    ["desktop", DESKTOP],
  ])("fits the width of a %s", async (name, options) => {
    const { page } = await open(options);
    expect(await overhang(page)).toBeLessThanOrEqual(0);
    if (name !== "desktop") await picture(page, name);
  });

  it("looks right at every width, by light and in the dark", async () => {
    const { page } = await open(DESKTOP);
    expect(await flaws(page)).toEqual([]);
  });

  it.each(["light", "dark"] as const)("can be read in %s", async (colorScheme) => {
    const { page } = await open({ ...DESKTOP, colorScheme });
    const paper = await page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
    expect(/^rgb\(2\d\d/.test(paper)).toBe(colorScheme === "light");
    expect((await contrastsOf(page)).length).toBeGreaterThan(40);
    expect(await unreadable(page)).toEqual([]);
    await picture(page, colorScheme);
  });

  it("tells all but what is live without JavaScript", async () => {
    const { page } = await open({ ...DESKTOP, javaScriptEnabled: false });
    await expect
      .poll(async () => {
        await page.reload();
        return textOf(page, "h1");
      })
      .toBe("Push works");
    expect(await page.locator(".plot").count()).toBe(2);
  });

  it("says what is wrong when the workers die", async () => {
    const { page } = await open(DESKTOP);
    for (const worker of workers) await worker.kill();
    await expect.poll(() => textOf(page, "h1"), { timeout: WITHIN }).toBe("Push does not work here");
    expect(await textOf(page, ".why")).toBe("no worker of the region can send");
    await expect
      .poll(async () => (await page.locator(".station").allInnerTexts())[3], { timeout: WITHIN })
      .toMatch(/none running/);
    expect(await page.title()).toBe("Push does not work here – eu");
    await picture(page, "no-worker");
    workers = [await region.startRole("worker", "worker-3")];
    await expect.poll(() => textOf(page, "h1"), { timeout: WITHIN }).toBe("Push works");
  });

  it("shows an open breaker, a module out of reach, a credential that soon expires, and another host that is gone", async () => {
    const changed = await configWithTroubles();
    for (const role of [region.ingress, ...workers]) await role.kill();
    await region.startRole("ingress", "ingress-2", changed);
    await region.startRole("worker", "worker-4", changed);
    await using server = await region.openDouble("other.test");
    const publishTo = async (module: string, device: number) =>
      server.publish({ to: region.hostname, node: device.toString(16).padStart(64, "0"), module });
    // Of these the steady publishes know nothing.
    await Promise.all([1_001, 1_002, 1_003, 1_004].map(async (device) => publishTo("refused", device)));
    const { page } = await open(DESKTOP);
    const rows = async (): Promise<string> =>
      (await page.locator("tr").allInnerTexts()).map((row) => row.replaceAll(/\s+/g, " ").trim()).join("\n");
    await expect.poll(rows, { timeout: WITHIN }).toContain("refused open: refused does not expire");
    expect(await rows()).toContain("expiring closed: sends 1 day left");
    await expect
      .poll(rows, { timeout: WITHIN })
      .toContain("unreachable out of reach of this host does not expire");
    expect(await rows()).toContain("front of the other host not reachable");
    expect(await rows()).toContain("front served by this host");
    await expect
      .poll(() => textOf(page, "h1"), { timeout: WITHIN })
      .toBe("Push works here, except for the apps of refused and unreachable");
    await expect
      .poll(() => page.locator(".why li").allInnerTexts(), { timeout: WITHIN })
      .toEqual([
        "front of the other host – not reachable",
        "credential of expiring – 1 day left",
        "breaker of refused – open: refused",
        "push service of unreachable – out of reach of this host",
      ]);
    await expect
      .poll(() => textOf(page, ".station:last-child"), { timeout: WITHIN })
      .toMatch(/\d connection/);
    await picture(page, "troubles");
    expect(await flaws(page)).toEqual([]);
    await picture(page, "troubles-dark");
  });

  it("says that it is old when a proxy before the sidecar has only errors or old pages to give", async () => {
    const { page } = await open(DESKTOP);
    const old = await page.content();
    await page.route("**", (route) => route.fulfill({ status: 502, body: "<h1>Bad Gateway</h1>" }));
    await expect.poll(() => page.locator(".gone").isVisible(), { timeout: WITHIN }).toBe(true);
    expect(await textOf(page, "h1")).toContain("Push works");
    await page.unroute("**");
    await expect.poll(() => page.locator(".gone").isVisible(), { timeout: WITHIN }).toBe(false);
    await page.route("**", (route) => route.fulfill({ contentType: "text/html", body: old }));
    await expect.poll(() => page.locator(".gone").isVisible(), { timeout: WITHIN }).toBe(true);
  });

  it("says that it is old while the sidecar hangs, and goes on when it is back", async () => {
    const { page } = await open(DESKTOP);
    const title = await page.title();
    region.sidecar.signal("SIGSTOP");
    await expect.poll(() => page.locator(".gone").isVisible(), { timeout: WITHIN }).toBe(true);
    expect(await page.title()).toBe("No answer – eu");
    region.sidecar.signal("SIGCONT");
    await expect.poll(() => page.locator(".gone").isVisible(), { timeout: WITHIN }).toBe(false);
    await expect.poll(() => page.title(), { timeout: WITHIN }).toBe(title);
  });

  it("says that it is old when the sidecar is gone", async () => {
    const { page } = await open(PHONE);
    expect(await page.locator(".gone").isVisible()).toBe(false);
    await page.evaluate("scrollTo(0, 800)");
    await region.sidecar.kill();
    await expect.poll(() => page.locator(".gone").isVisible(), { timeout: WITHIN }).toBe(true);
    // Wherever somebody has scrolled to.
    expect(await page.evaluate<number>("document.querySelector('.gone').getBoundingClientRect().top")).toBe(
      0,
    );
    await page.screenshot({ path: join(OUTPUT, "old.png") });
  });

  it("begins a new record when the sidecar is back, and shows no outage where there are no figures", async () => {
    const restartedAt = Date.now();
    await region.startRole("sidecar", "sidecar-2");
    const begins = await recordBegins();
    expect(begins).toBeGreaterThanOrEqual(restartedAt);
    const { page } = await open(SMALL_PHONE);
    const charts = page.locator("figure");
    expect(await charts.locator('rect.before[width="600"]').count()).toBe(2);
    for (const text of await charts.allInnerTexts()) {
      expect(text).toContain(`no figures before ${timeOf(begins)}, when this sidecar started`);
      expect(text).toContain("The first half minute is being measured.");
    }
    expect(await misplaced(page)).toEqual([]);
    expect(await overhang(page)).toBeLessThanOrEqual(0);
    await picture(page, "restarted");
  });
});

/** A configuration of the host with a module that APNs refuses, one whose certificate is about to expire, and a dead front. */
async function configWithTroubles(): Promise<string> {
  const { modules, ingress, ...config } = await configOfHost(region);
  const good = modules["monalProdiOS"];
  const inOutput = (name: string): string => join(OUTPUT, name);
  const [keyFile, certKeyFile, certFile] = [inOutput("other.p8"), inOutput("app.key"), inOutput("app.pem")];
  await makeSigningKey(keyFile);
  const certificate = `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=app -keyout ${certKeyFile} -out ${certFile}`;
  await promisify(execFile)("openssl", certificate.split(" "));
  const byCertificate = { keyFile: undefined, keyId: undefined, teamId: undefined, certFile, certKeyFile };
  const [own] = ingress.components;
  const troubles = {
    ...config,
    ingress: { ...ingress, components: [own, { ...own, service: `xmpp://127.0.0.1:${await freePort()}` }] },
    modules: {
      ...modules,
      refused: { ...good, apns: { ...good?.apns, keyFile, keyId: "OTHER12345" } },
      expiring: { ...good, apns: { ...good?.apns, ...byCertificate } },
      unreachable: { ...good, apns: { ...good?.apns, endpoint: `https://127.0.0.1:${await freePort()}` } },
    },
  };
  await writeFile(inOutput("troubles.yaml"), JSON.stringify(troubles));
  return inOutput("troubles.yaml");
}
