/** Extended attributes of the root that only the main thread knows: they describe the current state, not a tree. */
export const ROOT_ATTRIBUTES = ['release', 'seq', 'staleness', 'ready'] as const;

export type RootAttribute = (typeof ROOT_ATTRIBUTES)[number];

/** Undefined if the attribute has no value, such as the release of a mount that shows a prefix. */
export type RootAttributeOf = (attribute: RootAttribute) => string | undefined;

/** An attribute of the root of a tree. */
export interface AskedRoot {
  readonly tree: number;
  readonly attribute: RootAttribute;
}
