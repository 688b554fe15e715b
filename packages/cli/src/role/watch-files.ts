import { stat } from "node:fs/promises";

import { type Clock, seconds } from "@reveille/wakeup";

import { reasonOf } from "../terminal/reason-of.ts";

export interface WatchFilesOptions {
  /** Asked at each look: a reload may change them. */
  readonly files: () => readonly string[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Throws if the files cannot be used; it is called again at the next look then. */
  readonly onChanged: () => Promise<void>;
  /** After each call, with what was wrong. */
  readonly onRead: (because: string | undefined) => void;
}

const LOOK_EVERY = seconds(10);

/**
 * Looks at files every 10 s and tells when any has changed; a link that leads to another file counts as a change. Looking,
 * not `fs.watch`, since renewals replace folders, links and files alike. Never rejects.
 */
export async function watchFiles(options: WatchFilesOptions): Promise<void> {
  const { files, clock, signal, onChanged, onRead } = options;
  let [seen, told] = [await stateOf(files()), ""];
  while (!signal.aborted) {
    await clock.sleep(LOOK_EVERY, signal);
    const state = await stateOf(files());
    if (signal.aborted || state === seen) continue;
    try {
      await onChanged();
      [seen, told] = [state, ""];
      onRead(undefined);
    } catch (error) {
      // A certificate and its key are seldom replaced in one moment: once per cause is enough.
      const because = reasonOf(error);
      if (because !== told) onRead(because);
      told = because;
    }
  }
}

const stateOf = async (files: readonly string[]): Promise<string> =>
  (await Promise.all(files.map(async (file) => `${file} ${await lookAt(file)}`))).join("\n");

const lookAt = async (file: string): Promise<string> =>
  stat(file).then(
    ({ ino, mtimeMs, size }) => `${ino} ${mtimeMs} ${size}`,
    () => "missing",
  );
