export interface MountRequest {
  /** Absolute path of an existing directory. */
  readonly target: string;
  /** The source as the table of mounts shows it (sourceInTable): 255 bytes at most. */
  readonly source: string;
  readonly allowOther: boolean;
  /** Whether the target has a mount whose daemon died. The new mount then replaces that mount. */
  readonly replacesStale: boolean;
}

/**
 * What a session serves: an open /dev/fuse descriptor (driver kernel), or a request to mount by itself
 * (driver fuse-native).
 */
export type Connection =
  | { readonly kind: 'device'; readonly fd: number }
  | { readonly kind: 'own'; readonly request: MountRequest };
