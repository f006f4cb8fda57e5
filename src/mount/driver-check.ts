import type { Mount } from '../host/mountinfo.ts';

export interface UnmountOptions {
  readonly lazy: boolean;
  /** The mount to remove: no other mount is removed, even if the path changes meanwhile. */
  readonly mount: Mount;
}

/** The result of trying both drivers. */
export interface DriverCheck {
  /** Undefined: none. */
  readonly used: 'kernel' | 'fuse-native' | undefined;
  readonly kernel: {
    /** The addon's file. */
    readonly file?: string | undefined;
    /** Why it cannot be used, a typed error; undefined if it can. */
    readonly error?: unknown;
  };
  /** Why it cannot be loaded, a typed error; undefined if it can. */
  readonly fuseNative: { readonly error: unknown } | undefined;
  /** The promises that fuse-native does not keep, in words. */
  readonly driverLimitations: readonly string[];
}
