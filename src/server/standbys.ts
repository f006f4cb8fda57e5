import type { Worker } from 'node:worker_threads';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { persistedFiles } from '../base/persisted-files.ts';
import type { ContentCache } from '../cache/content-cache.ts';
import type { MountConfig } from '../config/mount-config.ts';
import type { StandbySetting } from '../config/standby-sources.ts';
import { connectStore } from '../source/prefix/store-connection.ts';
import type { Source } from '../source/source.ts';
import { type StandbyPlace, StandbySource } from '../source/standby/standby-source.ts';
import type { StandbyView } from '../source/standby/standby-view.ts';
import type { RequestObserver } from '../store/http/request-observer.ts';
import { SignedHttp } from '../store/http/signed-http.ts';
import { createFetchPage } from '../store/listing/fetch-page.ts';
import { S3Store } from '../store/s3-store.ts';
import { codeOf, isSourceDown } from '../sync/failure.ts';
import type { Sync } from '../sync/sync.ts';
import type { ContentSwitch } from './content-switch.ts';
import { keepFollowedStandby } from './followed-standby.ts';
import { mountedSource } from './mounted-source.ts';
import { hasSameBytes, isRefusal } from './same-bytes.ts';
import { standbyConfig } from './standby-config.ts';

export interface StandbysOptions {
  readonly config: MountConfig;
  /** The mount's cache directory. */
  readonly cacheDirectory: string;
  /** The source of the first store. */
  readonly source: Source;
  readonly contents: ContentSwitch;
  readonly cache: Pick<ContentCache, 'inspection'>;
  readonly shown: () => Sync['shown'];
  readonly salt: bigint;
  readonly observer: RequestObserver;
  /** Starts another thread for listings. */
  readonly startWorker: () => Worker;
  readonly onChange: (view: StandbyView) => void;
  readonly clock: Clock;
  readonly log: Logger;
  readonly atEnd: (ending: () => unknown) => void;
}

/** Opens the source of a mount that has standby sources; undefined if it has none. */
export function openStandbys(options: StandbysOptions): StandbySource | undefined {
  const { config, cacheDirectory, source, contents, shown, onChange, clock, log } = options;
  const { standbys } = config;
  const { first } = contents;
  if (standbys.length === 0 || first === undefined) return undefined;
  return new StandbySource({
    first: { name: config.source, source, content: first },
    standbys: standbys.map((setting) => ({
      name: setting.source,
      open: () => openPlace(setting, options),
    })),
    followed: keepFollowedStandby(`${cacheDirectory}/${persistedFiles.followedStandby.name}`),
    content: contents,
    afterMs: config.standbyAfterMs,
    isDown: (error) => isSourceDown(codeOf(error)),
    shown,
    hasSameBytes: (mine, theirs, content, signal) =>
      hasSameBytes(options.cache, mine, theirs, content, signal),
    isRefusal,
    onChange,
    clock,
    log,
  });
}

/**
 * Opens a standby source. Sends no request and starts no thread, because while the first source works, a
 * standby source gets only one request a day.
 */
async function openPlace(setting: StandbySetting, options: StandbysOptions): Promise<StandbyPlace> {
  const { cacheDirectory, contents, salt, observer, startWorker, log, atEnd } = options;
  const config = standbyConfig(setting, options.config);
  const mounted = mountedSource({ config, cacheDirectory, traits: NOT_KEPT, log });
  const connection = await connectStore(config);
  const { concurrency } = config;
  const store = new S3Store({ ...connection, concurrency, observer, md5: mounted.md5 });
  atEnd(() => store.close());
  const content = mounted.content(store);
  contents.add(content);
  atEnd(content.close);
  let opened: Source | undefined;
  const source = (): Source => {
    opened ??= mounted.open({
      connection: { ...connection, store },
      worker: startWorker(),
      salt,
      observer,
    }).source;
    return opened;
  };
  const fetchPage = createFetchPage({ http: new SignedHttp({ ...connection, observer }) });
  return {
    name: setting.source,
    source: {
      kind: options.source.kind,
      look: (asked) => source().look(asked),
      build: (asked) => source().build(asked),
      accept: (digest, asked) => source().accept(digest, asked),
    },
    content: content.content,
    check: async (signal) => {
      await fetchPage({ prefix: setting.prefix, maxKeys: 1 }, signal);
    },
  };
}

/** Does not store findings about the ETags of a standby source, which are made again when it is needed. */
const NOT_KEPT = { recall: () => [], keep: () => undefined };
