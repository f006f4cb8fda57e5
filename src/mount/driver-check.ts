import type { Mount } from '../host/mountinfo.ts';

export interface UnmountOptions {
  readonly lazy: boolean;
  /** The mount that is meant: no other is taken away, whatever the path leads to meanwhile. */
  readonly mount: Mount;
}

/** What came of trying both drivers. */
export interface DriverCheck {
  /** Undefined: none. */
  readonly used: 'kernel' | 'fuse-native' | undefined;
  readonly kernel: {
    /** Of the addon. */
    readonly file?: string | undefined;
    /** Why it cannot be used, a typed error; undefined where it can. */
    readonly error?: unknown;
  };
  /** Why it cannot be loaded, a typed error; undefined where it can. */
  readonly fuseNative: { readonly error: unknown } | undefined;
  /** What is not kept by fuse-native, in words. */
  readonly driverLimitations: readonly string[];
}
