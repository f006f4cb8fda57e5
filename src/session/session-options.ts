import type { AskedVersion } from './asked-version.ts';
import type { Fetch } from './content-reader.ts';
import type { MountedTree, Presentation, VersionsServed } from './messages.ts';
import type { RequestMeter } from './request-meter.ts';
import type { AskedRoot } from './root-attributes.ts';
import type { FindVersion } from './serve-session.ts';

/** The options that the sessions of both drivers (kernel and fuse-native) have. */
export interface SessionOptions {
  readonly trees: readonly MountedTree[];
  /**
   * The versions that are shown beside the current tree; undefined if the mount shows only the current tree.
   */
  readonly versions?: VersionsServed | undefined;
  readonly presentation: Presentation;
  readonly meter: RequestMeter;
  /** Returns the function that fetches the content of a tree. */
  readonly fetchOf: (tree: number) => Fetch;
  readonly versionIdOf: (version: AskedVersion) => Promise<string | undefined>;
  readonly rootAttributeOf: (asked: AskedRoot) => Promise<string | undefined>;
  readonly findVersion: FindVersion;
  readonly onVersionUsed: (id: string) => void;
  /** Called for a request that failed with an unexpected error; the reader got EIO. */
  readonly onFault: (error: unknown, opcode: string) => void;
  /**
   * Called with replaced nodes of a tree that the kernel no longer holds. The node ids are those in the
   * tree's generations (Placement).
   */
  readonly onReleased: (tree: number, nodeIds: readonly number[]) => void;
}
