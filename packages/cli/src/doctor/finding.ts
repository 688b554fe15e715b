/** What the doctor found about one thing. */
export type Finding =
  | { readonly kind: "ok" | "skipped"; readonly item: string; readonly text: string }
  /** `cure` says how to mend it. */
  | { readonly kind: "warn" | "fail"; readonly item: string; readonly text: string; readonly cure: string };

/** Findings about one item, so that its name is written once. */
export interface About {
  readonly ok: (text: string) => Finding;
  readonly skipped: (text: string) => Finding;
  readonly warn: (text: string, cure: string) => Finding;
  readonly fail: (text: string, cure: string) => Finding;
}

export const about = (item: string): About => ({
  ok: (text) => ({ kind: "ok", item, text }),
  skipped: (text) => ({ kind: "skipped", item, text }),
  warn: (text, cure) => ({ kind: "warn", item, text, cure }),
  fail: (text, cure) => ({ kind: "fail", item, text, cure }),
});
