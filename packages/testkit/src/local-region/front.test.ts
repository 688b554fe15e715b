import { describe, expect, it } from "vitest";

import { renderFront } from "./front.ts";

describe("the front's configuration for production", () => {
  it("has every placeholder filled in and no secret in it", async () => {
    const rendered = await renderFront("eu.push.example", "/etc/reveille/component.secret");
    expect(rendered).not.toMatch(/\{\{|\}\}/);
    expect(rendered).toContain('Component "eu.push.example"');
    expect(rendered).toContain('component_secret = first_line("/etc/reveille/component.secret")');
  });
});
