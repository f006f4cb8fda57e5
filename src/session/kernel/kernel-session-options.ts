import type { Fetch } from '../content-reader.ts';
import type { AskedVersion } from '../extended-attributes.ts';
import type {
  Presentation,
  ServedTree,
  Serving,
  StuckNotification,
  Takeover,
  VersionsServed,
} from '../messages.ts';
import type { Naming } from '../naming.ts';
import type { RequestMeter } from '../request-meter.ts';
import type { RootAttribute } from '../root-attributes.ts';
import type { FindVersion } from '../serve-session.ts';
import type { SessionEnd } from '../session-end.ts';
import type { Addon } from './addon.ts';
import type { Journal } from './journal.ts';

export interface KernelSessionOptions {
  readonly addon: Addon;
  readonly fd: number;
  readonly shown: ServedTree;
  /** The versions that are shown beside the current tree; undefined if the mount shows only the current tree. */
  readonly versions?: VersionsServed | undefined;
  readonly presentation: Presentation;
  readonly naming: Naming;
  readonly cacheDirectory: string;
  readonly meter: RequestMeter;
  /** Set if a predecessor has served the connection. */
  readonly takeover?: Takeover | undefined;
  /** Stores requests for a successor. */
  readonly journal?: Journal | undefined;
  /** Whether to ask the kernel, if it can, to send unanswered requests again to a successor; the default is true. */
  readonly resend?: boolean | undefined;
  readonly fetch: Fetch;
  readonly versionIdOf: (version: AskedVersion) => Promise<string | undefined>;
  readonly rootAttributeOf: (attribute: RootAttribute) => Promise<string | undefined>;
  readonly findVersion: FindVersion;
  readonly onVersionUsed: (id: string) => void;
  readonly onServing: (serving: Omit<Serving, 'at'>) => void;
  /** Called for a request that failed with an unexpected error; the reader got EIO. */
  readonly onFault: (error: unknown, opcode: string) => void;
  readonly onReleased: (nodeIds: readonly number[]) => void;
  /** Called when the kernel does not return from a notification, and with undefined when it has returned. */
  readonly onStuck: (stuck: StuckNotification | undefined) => void;
  readonly onEnd: (end: SessionEnd) => void;
}
