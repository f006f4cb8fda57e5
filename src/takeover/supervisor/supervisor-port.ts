/** The functions of the supervisor's and the holder's program that commands use. */
export interface SupervisorPort {
  /** Returns the file of the supervisor's program; undefined if it cannot be run. */
  supervisorProgram(): string | undefined;
  /** Makes this process the supervisor of a command, by execve: the pid stays. Returns only if that fails. */
  becomeSupervisorOf(command: readonly string[]): void;
  /**
   * Makes this process the holder that listens at a socket, by execve. Throws MountError if that is missing.
   */
  becomeHolder(socket: string): never;
  /** As Addon.lockFile. Throws MountError if there is no addon. */
  lockFile(path: string): number;
}
