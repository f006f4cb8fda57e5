export interface MountRequest {
  /** Absolute path of an existing directory. */
  readonly target: string;
  /** The source in the table of mounts: the s3:// address. */
  readonly source: string;
  readonly allowOther: boolean;
  /** The target has a mount whose daemon died: replace it. */
  readonly replacesStale: boolean;
}

/** What a session serves: an open device, or a request to mount by itself. */
export type Connection =
  | { readonly kind: 'device'; readonly fd: number }
  | { readonly kind: 'own'; readonly request: MountRequest };
