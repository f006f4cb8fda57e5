/**
 * Extended attributes of a tree's root that only the main thread knows, because they describe the server's
 * current state and not a generation.
 */
export const ROOT_ATTRIBUTES = ['release', 'seq', 'staleness', 'ready'] as const;

export type RootAttribute = (typeof ROOT_ATTRIBUTES)[number];

/**
 * Returns the value of an attribute. Undefined if it has none, such as the release of a mount that shows a
 * prefix.
 */
export type RootAttributeOf = (attribute: RootAttribute) => string | undefined;

/** An attribute of a tree's root that a reader asks for. */
export interface AskedRoot {
  readonly tree: number;
  readonly attribute: RootAttribute;
}
