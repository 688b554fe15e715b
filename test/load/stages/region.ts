import { isPushModule, isRegion, type PushModule, type Region } from "@reveille/wakeup";

/** The region of the bench: its hostname, its one module and what belongs to it. */
export const DOMAIN = "eu.push.example";
export const MODULE = moduleNamed("monalProdiOS");
export const REGION = regionNamed("bench");

/** What Apple would know the provider and the app by. */
export const APPLE = { topic: "org.example.push", keyId: "ABC1234567", teamId: "TEAM123456" } as const;

function moduleNamed(name: string): PushModule {
  if (isPushModule(name)) return name;
  throw new Error(`no push module: ${name}`);
}

function regionNamed(name: string): Region {
  if (isRegion(name)) return name;
  throw new Error(`no region: ${name}`);
}
