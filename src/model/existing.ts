/** Apart from the receipt's schema: the command line names these before any schema is loaded. */
export const existingChoices = ["keep-values", "site-values", "refuse"] as const;

/** What becomes of a release that somebody else installed. */
export type Existing = (typeof existingChoices)[number];
