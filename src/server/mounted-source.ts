import type { Worker } from 'node:worker_threads';
import type { Logger } from '../base/logger.ts';
import { Spool } from '../cache/spool.ts';
import type { MountConfig } from '../config/mount-config.ts';
import {
  type ShownPrefix,
  type ShownRelease,
  type ShownSource,
  shownSource,
} from '../config/shown-source.ts';
import type { StoreConnection } from '../source/prefix/store-connection.ts';
import { watchedKeyOf } from '../source/prefix/watched-key.ts';
import { KeptWholes } from '../source/release/content/kept-wholes.ts';
import { ReleaseContent } from '../source/release/content/release-content.ts';
import type { Source, WatchedKey } from '../source/source.ts';
import type { VersionSource } from '../source/version-source.ts';
import { SourceClient } from '../source/worker/source-client.ts';
import type { RequestObserver } from '../store/http/request-observer.ts';
import type { S3Store } from '../store/s3-store.ts';
import { type EtagFindings, EtagWitness, type TraitsKeeper } from '../sync/etag-witness.ts';
import { codeOf, isSourceDown } from '../sync/failure.ts';
import { systemClock } from '../sync/system-clock.ts';
import type { SourceContent } from '../takeover/tree-preparation.ts';
import type { ContentSwitch } from './content-switch.ts';

/** Large contents may temporarily take the cache's size divided by this, in addition to the cache. */
const SHARE_OF_WHOLES = 4;

export interface OpenOptions {
  readonly connection: Pick<StoreConnection, 'target' | 'settings' | 'credentials'> & {
    readonly store: S3Store;
  };
  readonly worker: Worker;
  readonly salt: bigint;
  readonly observer: RequestObserver;
}

/** The parts of a source that Sync needs. */
export interface OpenedSource {
  readonly source: Source;
  /** Findings about the store's ETags; undefined if contents are identified by digests. */
  readonly etags: EtagFindings | undefined;
  readonly watchedKey: WatchedKey | undefined;
  /** Finds versions (earlier releases); undefined if the source has none that are the same on every host. */
  readonly versions: VersionSource | undefined;
}

/** The parts of a server that depend on the kind of its source: how content is fetched and verified, and how trees are made. */
export interface MountedSource extends SourceContent {
  open(options: OpenOptions): OpenedSource;
}

export interface MountedSourceOptions {
  readonly config: MountConfig;
  readonly cacheDirectory: string;
  /** Stores the findings about the store's ETags. */
  readonly traits: TraitsKeeper;
  /** Switches between stores; undefined if there is only one store. */
  readonly contents?: ContentSwitch | undefined;
  readonly log: Logger;
}

export function mountedSource(options: MountedSourceOptions): MountedSource {
  const shown = shownSource(options.config);
  switch (shown.kind) {
    case 'prefix':
      return mountedPrefix(shown, options);
    case 'release':
      return mountedRelease(shown, options);
    default:
      return shown satisfies never;
  }
}

/** For a prefix of a bucket. Contents are identified by ETags, of which a store may have several kinds. */
function mountedPrefix(shown: ShownPrefix, options: MountedSourceOptions): MountedSource {
  const { traits, contents, log } = options;
  const witness = new EtagWitness(traits, log);
  return {
    md5: witness.md5,
    content: (store) => {
      const content = { content: witness.content(store), planner: undefined, close: () => undefined };
      return contents?.over(content) ?? content;
    },
    open: (opening) => ({
      source: witness.over(clientOf(shown, options, opening)),
      etags: witness,
      watchedKey: watchedKey(shown.watchKey, opening.connection.store, options),
      versions: undefined,
    }),
  };
}

/** For releases. Contents are identified and verified by SHA-256, so ETags do not matter. */
function mountedRelease(shown: ShownRelease, options: MountedSourceOptions): MountedSource {
  const { config, cacheDirectory, contents } = options;
  return {
    md5: { of: () => () => true },
    content: (store) => {
      const wholes = new KeptWholes({
        openSpool: () => Spool.open(cacheDirectory),
        limitBytes: config.cacheSizeBytes / SHARE_OF_WHOLES,
        clock: systemClock,
      });
      const content = new ReleaseContent(store, wholes);
      const planned = { content, planner: content, close: () => wholes.close() };
      return contents?.over(planned) ?? planned;
    },
    open: (opening) => {
      const source = clientOf(shown, options, opening);
      return { source, etags: undefined, watchedKey: undefined, versions: source };
    },
  };
}

function clientOf(
  shown: ShownSource,
  { config, log }: MountedSourceOptions,
  { connection, worker, salt, observer }: OpenOptions,
): SourceClient {
  const { include, exclude, executable } = config;
  return new SourceClient({
    worker,
    setUp: {
      target: connection.target,
      transport: connection.settings,
      patterns: { include, exclude, executable },
      salt,
      shown,
    },
    credentials: connection.credentials,
    log,
    observer,
  });
}

/**
 * Returns the watched key of the first source. If the mount has standby sources and the store of the key is
 * down, the key counts as changed: it must not keep a standby source from being listed.
 */
function watchedKey(
  key: string | undefined,
  store: S3Store,
  { config }: MountedSourceOptions,
): WatchedKey | undefined {
  const watched = watchedKeyOf(key, store);
  if (watched === undefined || config.standbys.length === 0) return watched;
  return {
    key: watched.key,
    look: async (etag, signal) => {
      try {
        return await watched.look(etag, signal);
      } catch (error) {
        if (signal.aborted || !isSourceDown(codeOf(error))) throw error;
        // This text never equals an ETag, because no ETag contains a space.
        return ` unreachable ${Date.now()}`;
      }
    },
  };
}
