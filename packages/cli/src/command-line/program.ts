import { Command, Help } from "commander";

import { addPushSimulator } from "./push-simulator.ts";
import { addCanary } from "./canary.ts";
import { addCheckConfig } from "./check-config.ts";
import { addDoctor } from "./doctor.ts";
import { addDrain } from "./drain.ts";
import { addDocuments } from "./documents.ts";
import { addImportFpush } from "./import-fpush.ts";
import { addInit } from "./init.ts";
import { addPrivacy } from "./privacy.ts";
import { addDomain } from "./domain.ts";
import { addPushTest } from "./push-test.ts";
import { addQueue } from "./queue.ts";
import { addReload } from "./reload.ts";
import { addRender } from "./render.ts";
import { addRoles } from "./roles.ts";
import { addToken } from "./token.ts";
import { VERSION } from "../role/version.ts";

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
