import { CodedError } from '../base/coded-error.ts';

/**
 * - `malformed`: the request, or an attribute of the volume, cannot be understood
 * - `not-allowed`: the configuration of the node does not allow the source, endpoint or profile
 * - `unsafe-target`: the target path is not below kubelet's directory, or leads through a link
 * - `other-volume`: another volume, or this one with other attributes, is published at the target
 * - `no-token`: the volume names a role, and kubelet sent no token for it
 * - `denied`: the store denies access
 * - `no-source`: the store has no such bucket or prefix
 * - `unavailable`: the mount is not ready in time, or cannot be made at the moment
 * - `failed`: the mount cannot be made
 */
export type VolumeErrorCode =
  | 'malformed'
  | 'not-allowed'
  | 'unsafe-target'
  | 'other-volume'
  | 'no-token'
  | 'denied'
  | 'no-source'
  | 'unavailable'
  | 'failed';

/** A volume cannot be published. */
export class VolumeError extends CodedError<VolumeErrorCode> {
  override readonly name = 'VolumeError';
}
