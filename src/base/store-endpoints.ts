/** The address of a store; undefined for the address of AWS. */
export type Endpoint = string | undefined;

/**
 * The endpoints of a bucket, in the order in which they are tried. The first one is part of the names of the mount, its
 * cache and its state. Adding endpoints after it does not change those names.
 */
export type Endpoints = readonly [first: Endpoint, ...others: readonly Endpoint[]];
