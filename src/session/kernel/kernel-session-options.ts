import type { Serving, StuckNotification, Takeover } from '../messages.ts';
import type { SessionEnd } from '../session-end.ts';
import type { SessionOptions } from '../session-options.ts';
import type { Addon } from './addon.ts';
import type { Journal } from './journal.ts';

export interface KernelSessionOptions extends SessionOptions {
  readonly addon: Addon;
  readonly fd: number;
  /** Set if a predecessor has served the connection. */
  readonly takeover?: Takeover | undefined;
  /** Stores unanswered requests for a successor. */
  readonly journal?: Journal | undefined;
  /**
   * Whether to ask the kernel, if it can, to send unanswered requests again to a successor; the default is
   * true.
   */
  readonly resend?: boolean | undefined;
  /** Whether to ask the kernel, if it can, to allow idmapped mounts of this mount; the default is false. */
  readonly allowIdmap?: boolean | undefined;
  readonly onServing: (serving: Pick<Serving, 'init' | 'takenOver'>) => void;
  /** Called when the kernel does not return from a notification, and with undefined when it has returned. */
  readonly onStuck: (stuck: StuckNotification | undefined) => void;
  readonly onEnd: (end: SessionEnd) => void;
}
