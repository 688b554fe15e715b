import { readFile } from "node:fs/promises";

import { parseConfig } from "@reveille/runtime";
import { aModule } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { moduleSettingsOf } from "./module-settings.ts";

const EXAMPLE = new URL("../../../deploy/config.example.yaml", import.meta.url);

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
});
