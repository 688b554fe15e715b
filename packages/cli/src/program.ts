import { Command, Help } from "commander";

import { addPushSimulator } from "./command-line/push-simulator.ts";
import { addCanary } from "./command-line/canary.ts";
import { addCheckConfig } from "./command-line/check-config.ts";
import { addDoctor } from "./command-line/doctor.ts";
import { addDrain } from "./command-line/drain.ts";
import { addDocuments } from "./command-line/documents.ts";
import { addImportFpush } from "./command-line/import-fpush.ts";
import { addInit } from "./command-line/init.ts";
import { addPrivacy } from "./command-line/privacy.ts";
import { addDomain } from "./command-line/domain.ts";
import { addPushTest } from "./command-line/push-test.ts";
import { addQueue } from "./command-line/queue.ts";
import { addReload } from "./command-line/reload.ts";
import { addRender } from "./command-line/render.ts";
import { addRoles } from "./command-line/roles.ts";
import { addToken } from "./command-line/token.ts";
import { VERSION } from "./version.ts";

/**
 * The executable's commands. `command-line/` says what each is called and takes; what it does is in `commands/`, loaded
 * when it is asked for.
 */
export function program(): Command {
  const reveille = new Command("reveille")
    .description("A push cluster for XMPP: wakes sleeping devices through APNs and FCM (XEP-0357).")
    .version(VERSION)
    .configureHelp({ optionDescription })
    .exitOverride()
    // What is wrong is told once, by `main.ts`.
    .configureOutput({ outputError: () => undefined, writeErr: () => undefined });
  addRoles(reveille);
  addCanary(reveille);
  addCheckConfig(reveille);
  addDoctor(reveille);
  addPushTest(reveille);
  addReload(reveille);
  addInit(reveille);
  addImportFpush(reveille);
  addQueue(reveille);
  addDrain(reveille);
  addRender(reveille);
  addPrivacy(reveille);
  addDomain(reveille);
  addToken(reveille);
  addPushSimulator(reveille);
  addDocuments(reveille);
  return reveille;
}

/** That a flag is not set unless it is given goes without saying. */
const optionDescription: Help["optionDescription"] = (option) =>
  option.defaultValue === false ? option.description : new Help().optionDescription(option);
