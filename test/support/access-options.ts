import type { AccessOptions } from '../../src/store/store-access.ts';

/** Options of access to a bucket, with default settings. */
export function accessOptions(
  options: Partial<AccessOptions> & Pick<AccessOptions, 'endpoints'>,
): AccessOptions {
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
