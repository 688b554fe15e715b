import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parseConfig } from "@reveille/runtime";
import { aModule } from "@reveille/testkit";
import { describe, expect, it, onTestFinished, vi } from "vitest";

import { moduleSettingsOf } from "./module-settings.ts";

const EXAMPLE = new URL("../../../../deploy/config.example.yaml", import.meta.url);

/** The example configuration with all that it has in comments about its module. */
async function fullExample(): Promise<string> {
  const text = await readFile(EXAMPLE, "utf8");
  return text.replaceAll(/^( {4,6})# ((?:endpoint|caFile|proxy|collapseId): .*)$/gm, "$1$2");
}

describe("the settings of a module", () => {
  it("are all that its configuration says of its pushes and their way", async () => {
    const text = (await fullExample())
      .replace("priority: 10", "priority: 5")
      .replace("quiet: alert", "quiet: background");
    const settings = moduleSettingsOf(parseConfig(text, "example")).get(aModule());
    expect(settings).toMatchObject({
      apns: {
        endpoint: new URL("https://127.0.0.1:8443"),
        caFile: "/etc/reveille/apns/simulator-ca.pem",
        proxy: new URL("http://proxy.internal:3128"),
      },
      priority: 5,
      quiet: "background",
      collapseId: "reveille",
    });
  });

  it("name each file as systemd hands it over, for both push services", async () => {
    const folder = await mkdtemp(join(tmpdir(), "reveille-credentials-"));
    onTestFinished(async () => rm(folder, { recursive: true }));
    vi.stubEnv("CREDENTIALS_DIRECTORY", folder);
    onTestFinished(() => void vi.unstubAllEnvs());
    for (const name of ["apns_simulator-ca.pem", "fcm_service-account.json"])
      await writeFile(join(folder, name), "");
    const text = (await fullExample()).replace(
      "modules:\n",
      "modules:\n  android: { fcm: { projectId: my-project, serviceAccountFile: /etc/reveille/fcm/service-account.json } }\n",
    );
    const settings = [...moduleSettingsOf(parseConfig(text, "example")).values()];
    expect(settings).toMatchObject([
      { fcm: { serviceAccountFile: join(folder, "fcm_service-account.json") } },
      { apns: { caFile: join(folder, "apns_simulator-ca.pem") } },
    ]);
  });
});
