import type { Worker } from 'node:worker_threads';
import type { Logger } from '../base/logger.ts';
import type { MountConfig } from '../config/mount-config.ts';
import type { StoreConnection } from '../source/prefix/store-connection.ts';
import type { Source } from '../source/source.ts';
import { SourceClient } from '../source/worker/source-client.ts';
import type { ReleaseSetUp } from '../source/worker/source-messages.ts';
import type { RequestObserver } from '../store/http/request-observer.ts';
import type { EtagFindings, EtagWitness } from '../sync/etag-witness.ts';

export interface OpenSourceOptions {
  readonly config: MountConfig;
  readonly connection: Pick<StoreConnection, 'target' | 'settings' | 'credentials'>;
  readonly worker: Worker;
  readonly salt: bigint;
  readonly log: Logger;
  readonly observer: RequestObserver;
  readonly witness: EtagWitness;
}

/** What a mount shows trees of. A release says by itself what its contents are: what is known of ETags is of no use then. */
export function openSource(options: OpenSourceOptions): {
  readonly source: Source;
  readonly etags: EtagFindings | undefined;
} {
  const { config, connection, worker, salt, log, observer, witness } = options;
  const release = releaseOf(config);
  const { include, exclude, executable } = config;
  const client = new SourceClient({
    worker,
    kind: release === undefined ? 'prefix' : 'release',
    setUp: {
      target: connection.target,
      transport: connection.settings,
      patterns: { include, exclude, executable },
      salt,
      release,
    },
    credentials: connection.credentials,
    log,
    observer,
  });
  return release === undefined
    ? { source: witness.over(client), etags: witness }
    : { source: client, etags: undefined };
}

function releaseOf(config: MountConfig): ReleaseSetUp | undefined {
  const { ref: environment, source, releaseRoot, minSeq, allowedSigners, stateDir } = config;
  if (environment === undefined) return undefined;
  return {
    root: releaseRoot ?? source.replace(/\/$/, ''),
    environment,
    minSequence: minSeq,
    allowedSigners,
    stateDirectory: stateDir,
  };
}
