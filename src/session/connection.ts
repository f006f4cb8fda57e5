export interface MountRequest {
  /** Absolute path of an existing directory. */
  readonly target: string;
  /** What the table of mounts shows as the source: the s3:// address. */
  readonly source: string;
  readonly allowOther: boolean;
  /** There is a mount on the target whose daemon is gone: take its place. */
  readonly replacesStale: boolean;
}

/** What a session serves: an open device, or what it is to mount by itself. */
export type Connection =
  | { readonly kind: 'device'; readonly fd: number }
  | { readonly kind: 'own'; readonly request: MountRequest };
