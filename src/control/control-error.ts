import { CodedError } from '../base/coded-error.ts';

/**
 * - `socket-too-long`: the path of the socket is longer than the kernel takes
 * - `socket-unsafe`: another user's, or in a directory where others could replace it, or no socket
 * - `socket-in-use`: another process listens there
 * - `socket-unusable`: it cannot be made
 * - `address-in-use`, `address-unusable`: a TCP address, of the metrics or the webhook
 * - `secret-unusable`: the file of the webhook's secrets
 */
export type ControlErrorCode =
  | 'socket-too-long'
  | 'socket-unsafe'
  | 'socket-in-use'
  | 'socket-unusable'
  | 'address-in-use'
  | 'address-unusable'
  | 'secret-unusable';

/** The daemon cannot listen. The message says what is wrong; the hint says what to do. */
export class ControlError extends CodedError<ControlErrorCode> {
  override readonly name = 'ControlError';
}
