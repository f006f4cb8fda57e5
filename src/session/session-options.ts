import type { Fetch } from './content-reader.ts';
import type { AskedVersion } from './extended-attributes.ts';
import type { Presentation, ServedTree, VersionsServed } from './messages.ts';
import type { Naming } from './naming.ts';
import type { RequestMeter } from './request-meter.ts';
import type { RootAttribute } from './root-attributes.ts';
import type { FindVersion } from './serve-session.ts';

/** What the sessions of both drivers get. */
export interface SessionOptions {
  readonly shown: ServedTree;
  /** The versions that are shown beside the current tree; undefined if the mount shows only the current tree. */
  readonly versions?: VersionsServed | undefined;
  readonly presentation: Presentation;
  readonly naming: Naming;
  readonly cacheDirectory: string;
  readonly meter: RequestMeter;
  readonly fetch: Fetch;
  readonly versionIdOf: (version: AskedVersion) => Promise<string | undefined>;
  readonly rootAttributeOf: (attribute: RootAttribute) => Promise<string | undefined>;
  readonly findVersion: FindVersion;
  readonly onVersionUsed: (id: string) => void;
  /** Called for a request that failed with an unexpected error; the reader got EIO. */
  readonly onFault: (error: unknown, opcode: string) => void;
  readonly onReleased: (nodeIds: readonly number[]) => void;
}
