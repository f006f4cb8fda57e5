import type { Mount } from '../host/mountinfo.ts';

export interface UnmountOptions {
  readonly lazy: boolean;
  /** The mount to remove. No other mount is removed, even if the path leads to another mount meanwhile. */
  readonly mount: Mount;
}

/** The result of trying both drivers. */
export interface DriverCheck {
  /** The driver that a mount would use; undefined if no driver can be used. */
  readonly used: 'kernel' | 'fuse-native' | undefined;
  readonly kernel: {
    /** The addon's file. */
    readonly file?: string | undefined;
    /** Why the kernel driver cannot be used: a typed error. Undefined if it can. */
    readonly error?: unknown;
  };
  /** Why fuse-native cannot be loaded: a typed error. Undefined if it can. */
  readonly fuseNative: { readonly error: unknown } | undefined;
  /** The promises that fuse-native keeps only in part, in words. */
  readonly driverLimitations: readonly string[];
}
