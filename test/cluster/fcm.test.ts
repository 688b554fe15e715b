import { mkdtempDisposable, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { startFcmSimulator } from "@reveille/push-simulator";
import { startRegion } from "@reveille/demo";
import { anFcmToken, until } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

const FOLDER = join(import.meta.dirname, "../output/cluster/fcm");
const WITHIN = 60_000;

describe("a region with an Android app", () => {
  it("wakes its devices through FCM, forgets those that are gone, and writes no token into its logs", async () => {
    await using fcm = await startFcmSimulator();
    await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-fcm-"));
    const [caFile, serviceAccountFile] = [join(folder.path, "ca.pem"), join(folder.path, "account.json")];
    await writeFile(caFile, fcm.ca);
    await writeFile(serviceAccountFile, fcm.serviceAccount, { mode: 0o600 });
    const way = { projectId: fcm.projectId, serviceAccountFile, endpoint: fcm.url, caFile };
    await using region = await startRegion({
      folder: FOLDER,
      workers: 1,
      window: "1s",
      modules: { android: { fcm: way, custom: { account: "push" } } },
    });
    await using romeo = await region.sender.login("romeo");
    const juliet = anFcmToken("juliet");
    await region.sender.enablePush("juliet", {
      service: region.hostname,
      node: juliet,
      options: { pushModule: "android" },
    });
    const replies = () => region.sender.replies.map(({ type }) => type);
    const write = async (count: number): Promise<void> => {
      await romeo.sendMessage(`juliet@${region.sender.domain}`, "Wherefore art thou");
      await until(() => replies()[count - 1], { what: "the reply", withinMs: WITHIN });
    };

    await write(1);
    await until(() => fcm.pushes[0], { what: "the push", withinMs: WITHIN });
    expect(fcm.pushes).toMatchObject([
      { status: 200, message: { token: juliet, data: { account: "push" }, priority: "high" } },
    ]);

    fcm.kill([juliet]);
    await write(2);
    await until(() => fcm.pushes[1], { what: "the second push", withinMs: WITHIN });
    await until(
      () => region.wakeups.find((record) => record.kind === "settled" && record.outcome === "token-dead"),
      {
        what: "the settled wakeup",
        withinMs: WITHIN,
      },
    );
    await write(3);
    expect(replies()).toEqual(["result", "result", "error"]);
    expect(region.sender.replies.at(-1)).toMatchObject({ errorType: "cancel", condition: "item-not-found" });

    const logs = await Promise.all(
      ["ingress.log", "worker-1.log", "sidecar.log"].map((name) =>
        readFile(join(region.logFolder, name), "utf8"),
      ),
    );
    expect(await readdir(region.logFolder)).toContain("worker-1.log");
    expect(logs.join("")).not.toContain(juliet.slice(0, 22));
  });
});
