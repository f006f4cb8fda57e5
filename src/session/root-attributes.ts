/** Extended attributes of the root that the main thread alone knows: what they say is of the moment, not of a tree. */
export const ROOT_ATTRIBUTES = ['release', 'seq', 'staleness', 'ready'] as const;

export type RootAttribute = (typeof ROOT_ATTRIBUTES)[number];

/** Undefined: it has no value, as the release of a mount that shows a prefix. */
export type RootAttributeOf = (attribute: RootAttribute) => string | undefined;
