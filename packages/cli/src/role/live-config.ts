import { type Config, type ConfigChange, type FurtherRules, reconfigure } from "@reveille/runtime";

import { reasonOf } from "../terminal/reason-of.ts";
import { loadConfig } from "./load-config.ts";
import { type StartSecrets } from "../secrets/start-secrets.ts";

/** What became of a reload. Values of changes are those of the file: paths of secrets, never secrets. */
export type ReloadAnswer =
  | {
      readonly kind: "reloaded";
      readonly applied: readonly ConfigChange[];
      /** These wait for a restart of the role. */
      readonly forRestart: readonly ConfigChange[];
    }
  /** Nothing has changed. */
  | { readonly kind: "refused"; readonly because: string };

export interface LiveConfigOptions {
  readonly file: string;
  readonly rules: FurtherRules | undefined;
  readonly first: Config;
  /** What a role reads when it starts and never again. */
  readonly startSecrets?: Pick<StartSecrets, "changes">;
  /** Works by this configuration from now on; throws, with nothing changed, if it cannot. */
  readonly adopt: (config: Config) => Promise<void>;
}

/** The configuration that a role works by, as its file is when it was last told to read it. */
export class LiveConfig {
  readonly #options: LiveConfigOptions;
  #current: Config;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: LiveConfigOptions) {
    this.#options = options;
    this.#current = options.first;
  }

  get current(): Config {
    return this.#current;
  }

  /** Reads the file again: all of it is taken over, or nothing. One reload after the other; never rejects. */
  reload(): Promise<ReloadAnswer> {
    const answer = this.#turn.then(() => this.#reload());
    this.#turn = answer;
    return answer;
  }

  async #reload(): Promise<ReloadAnswer> {
    const { file, rules, adopt, startSecrets } = this.#options;
    try {
      const { config, applied, forRestart } = reconfigure(this.#current, await loadConfig(file, rules));
      await adopt(config);
      this.#current = config;
      const secrets = (await startSecrets?.changes()) ?? [];
      return { kind: "reloaded", applied, forRestart: [...forRestart, ...secrets] };
    } catch (error) {
      return { kind: "refused", because: reasonOf(error) };
    }
  }
}
