import { setTimeout as sleep } from 'node:timers/promises';
import { S3ReleaseStore, WRITING_TIMEOUTS } from '../../src/deploy/s3-release-store.ts';
import type { Credentials } from '../../src/store/credentials.ts';
import { Transport } from '../../src/store/http/transport.ts';
import { settingsOf } from '../store/open-store.ts';

/** A release root in a store that a test has started; `close` ends its connections. */
export async function openReleaseStore(at: {
  readonly endpoint: string;
  readonly bucket: string;
  /** Ends with a slash. */
  readonly root: string;
  readonly credentials: Credentials;
}): Promise<{ readonly store: S3ReleaseStore; close(): Promise<void> }> {
  const transport = new Transport(settingsOf({ connections: 32, timeouts: WRITING_TIMEOUTS }));
  const { origin, host } = new URL(at.endpoint);
  const store = await S3ReleaseStore.open({
    transport,
    delay: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
    credentials: async () => at.credentials,
    target: {
      bucket: at.bucket,
      prefix: at.root,
      origin,
      host,
      basePath: `/${at.bucket}/`,
      region: 'us-east-1',
      service: 's3',
      endpoint: origin,
      requestPayer: false,
      anonymous: false,
    },
  });
  return {
    store,
    close: async () => {
      store.close();
      await transport.close();
    },
  };
}
