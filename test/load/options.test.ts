import { describe, expect, it } from "vitest";

import { parseOptions } from "./options.ts";
import { STAGES } from "./result.ts";

describe("the arguments of the bench", () => {
  it("mean all stages, in the order of the path, when none is named", () => {
    expect(parseOptions([])).toMatchObject({
      kind: "run",
      options: { stages: STAGES, json: false, seconds: 5 },
    });
  });

  it("name stages and change loads", () => {
    const parsed = parseOptions([
      "delivery",
      "ingress",
      "--json",
      "--rate",
      "800",
      "--in-flight=20",
      "--seconds",
      "2",
    ]);
    const options = { stages: ["ingress", "delivery"], json: true, rate: 800, inFlight: 20, seconds: 2 };
    expect(parsed).toMatchObject({ kind: "run", options });
  });

  it.each([
    [["ingest"], "no stage is called ingest"],
    [["--seconds", "3600"], "--seconds takes a number from 1 to 30, not 3600"],
    [["--rate", "many"], "--rate takes a number"],
    [["--rate", ""], "not nothing"],
    [["--apns", "apple"], "--apns takes nginx or simulator"],
    [["--appendfsync", "never"], "--appendfsync takes everysec or always"],
    [["--speed"], "Unknown option '--speed'"],
  ])("%j are refused", (args, because) => {
    const parsed = parseOptions(args);
    expect(parsed.kind === "wrong" ? parsed.because : "accepted").toContain(because);
  });

  it("explain themselves", () => {
    expect(parseOptions(["--help"])).toEqual({ kind: "help" });
  });
});
