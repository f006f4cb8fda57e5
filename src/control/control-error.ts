import { CodedError } from '../base/coded-error.ts';

/**
 * - `socket-too-long`: the path of the socket is longer than the kernel accepts
 * - `socket-unsafe`: the path has another user's socket, or something that is no socket, or is in a directory
 *   where other users could replace the socket
 * - `socket-in-use`: another process listens on the socket
 * - `socket-unusable`: the socket cannot be made
 * - `address-in-use`, `address-unusable`: a TCP address of the metrics or the webhook cannot be used
 * - `secret-unusable`: the file of the webhook's secrets cannot be used
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
