/** The part of the supervisor's program that commands use. */
export interface SupervisorPort {
  /** The file of the program; undefined if there is none. */
  supervisorProgram(): string | undefined;
  /** Makes this process the supervisor of a command, by execve: its pid stays. Returns only if there is none. */
  becomeSupervisorOf(command: readonly string[]): void;
  /** Makes this process the holder that listens at a socket, by execve. Throws MountError if there is no such program. */
  becomeHolder(socket: string): never;
  /** As Addon.lockFile. Throws MountError if there is no addon. */
  lockFile(path: string): number;
}
