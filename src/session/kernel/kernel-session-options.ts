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
  /** What is shown beside the current tree; undefined: that is the whole mount. */
  readonly versions?: VersionsServed | undefined;
  readonly presentation: Presentation;
  readonly naming: Naming;
  readonly cacheDirectory: string;
  readonly meter: RequestMeter;
  /** Of a connection that a predecessor has served. */
  readonly takeover?: Takeover | undefined;
  /** Where requests are kept for a successor. */
  readonly journal?: Journal | undefined;
  /** Whether the kernel is to send again to a successor what was not answered, where it can; true unless given. */
  readonly resend?: boolean | undefined;
  readonly fetch: Fetch;
  readonly versionIdOf: (version: AskedVersion) => Promise<string | undefined>;
  readonly rootAttributeOf: (attribute: RootAttribute) => Promise<string | undefined>;
  readonly findVersion: FindVersion;
  readonly onVersionUsed: (id: string) => void;
  readonly onServing: (serving: Omit<Serving, 'at'>) => void;
  /** A request that could not be answered for a reason that nobody foresaw; it got EIO. */
  readonly onFault: (error: unknown, opcode: string) => void;
  readonly onReleased: (nodeIds: readonly number[]) => void;
  /** A notification waits in the kernel without end, or undefined: it does no more. */
  readonly onStuck: (stuck: StuckNotification | undefined) => void;
  readonly onEnd: (end: SessionEnd) => void;
}
