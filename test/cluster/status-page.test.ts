import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { type Region, startRegion, until } from "@reveille/testkit";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

const OUTPUT = join(import.meta.dirname, "../output/status-page");
const WITHIN = 30_000;
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
let browser: Browser;
/** Stops the publishes that run through the region all the time. */
let stopPublishing = async (): Promise<void> => undefined;

beforeAll(async () => {
  await rm(OUTPUT, { recursive: true, force: true });
  await mkdir(OUTPUT, { recursive: true });
  [region, browser] = await Promise.all([
    startRegion({ folder: join(OUTPUT, "region"), doubles: ["sender.test"] }),
    chromium.launch(CHROMIUM),
  ]);
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
      await server.publish({ to: region.hostname, node, module: "monalProdiOS" }).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
  })();
  return async () => {
    stop.abort();
    await running;
  };
}

async function pointsOfHistory(): Promise<number> {
  const text = await (await fetch(`${region.statusUrl}/status.json`)).text();
  return text.match(/"latencyP99":/g)?.length ?? 0;
}

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

const colour = (page: Page, selector: string, of: "color" | "backgroundColor"): Promise<string> =>
  page.evaluate<string>(`getComputedStyle(document.querySelector(${JSON.stringify(selector)})).${of}`);

/** Contrast of two colours `rgb(…)` (WCAG 2.2, 1.4.3). */
function contrast(one: string, other: string): number {
  const luminance = (text: string): number => {
    const [red = 0, green = 0, blue = 0] = (text.match(/\d+/g) ?? []).map((digits) => {
      const share = Number(digits) / 255;
      return share <= 0.040_45 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

describe("the status page of a running region, in Chromium", () => {
  it("says that push works, and shows the path with its rates, charts, failover and modules", async () => {
    const { page, complaints } = await open(DESKTOP);
    expect(await textOf(page, "h1")).toBe("Push works");
    expect(await textOf(page, "header p")).toContain("region eu");
    expect(await page.locator(".station").allInnerTexts()).toEqual([
      expect.stringMatching(/^front\s+connected$/),
      expect.stringMatching(/^ingress\s+1 running$/),
      expect.stringMatching(/^queue\s+\d+ waiting/),
      expect.stringMatching(/^worker\s+2 running$/),
      expect.stringMatching(/^APNs\s+\d+ connections?$/),
    ]);
    expect(await page.locator(".arrow.flowing").count()).toBe(4);
    expect(await page.locator(".plot").count()).toBe(2);
    expect(await page.locator("path.p50").getAttribute("d")).toMatch(/^M\d/);
    expect(await page.locator("rect.delivered").count()).toBeGreaterThan(0);
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

  it.each(["light", "dark"] as const)("can be read in %s", async (colorScheme) => {
    const { page } = await open({ ...DESKTOP, colorScheme });
    const paper = await colour(page, "body", "backgroundColor");
    expect(contrast("rgb(255,255,255)", paper) < 2).toBe(colorScheme === "light");
    const card = await colour(page, "header", "backgroundColor");
    const contrasts = await Promise.all(
      ["h1", "header p", ".station.good span", "figcaption small", ".legend li"].map(async (selector) => ({
        selector,
        contrast: contrast(await colour(page, selector, "color"), card),
      })),
    );
    // WCAG 2.2 wants 4.5 for text (AA).
    expect(contrasts.filter((one) => !(one.contrast >= 4.5))).toEqual([]);
    await picture(page, colorScheme);
  });

  it("tells all but what is live without JavaScript", async () => {
    const { page } = await open({ ...DESKTOP, javaScriptEnabled: false });
    expect(await textOf(page, "h1")).toBe("Push works");
    expect(await page.locator(".plot").count()).toBe(2);
  });

  it("says what is wrong when the workers die", async () => {
    const { page } = await open(DESKTOP);
    for (const worker of region.workers) await worker.kill();
    await expect.poll(() => textOf(page, "h1"), { timeout: WITHIN }).toBe("Push does not work here");
    expect(await textOf(page, ".why")).toBe("no worker of the region can send");
    await expect
      .poll(async () => (await page.locator(".station").allInnerTexts())[3], { timeout: WITHIN })
      .toMatch(/none running/);
    expect(await page.title()).toBe("Push does not work here – eu");
    await picture(page, "no-worker");
    await region.startRole("worker", "worker-3");
    await expect.poll(() => textOf(page, "h1"), { timeout: WITHIN }).toBe("Push works");
  });

  it("says that it is old when the sidecar is gone", async () => {
    const { page } = await open(DESKTOP);
    expect(await page.locator(".gone").isVisible()).toBe(false);
    await region.sidecar.kill();
    await expect.poll(() => page.locator(".gone").isVisible(), { timeout: WITHIN }).toBe(true);
    await picture(page, "old");
  });
});
