/** The address of a store; undefined for AWS's own. */
export type Endpoint = string | undefined;

/**
 * Where a bucket is found, in the order in which it is looked for. The first names a mount, its cache and its state,
 * which stay as they are where others are put behind it.
 */
export type Endpoints = readonly [first: Endpoint, ...others: readonly Endpoint[]];
