import { type Command } from "commander";

export function addRender(reveille: Command): void {
  reveille
    .command("render")
    .description("write the configuration files of a region's machines, made from its plan")
    .argument("<plan>", "plan of the region (YAML); deploy/plan.example.yaml shows every key")
    .requiredOption("--out <folder>", "where to put them, a folder for each machine")
    .action(async (plan: string, { out }: { readonly out: string }) =>
      (await import("../commands/render.ts")).renderPlan(plan, out),
    )
    .addHelpText(
      "after",
      `
No secret stands in any of them; each says in its first lines where it belongs.
Example:
  reveille render /etc/reveille/plan.yaml --out rendered`,
    );
}
