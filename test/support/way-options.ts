import type { WayOptions } from '../../src/store/store-way.ts';

/** A way to a bucket, with default settings. */
export function wayOptions(options: Partial<WayOptions> & Pick<WayOptions, 'endpoints'>): WayOptions {
  return {
    bucket: 'bucket',
    prefix: '',
    region: undefined,
    profile: undefined,
    forcePathStyle: undefined,
    signRequest: true,
    requestPayer: false,
    caFile: undefined,
    concurrency: 1,
    ...options,
  };
}
