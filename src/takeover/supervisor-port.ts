/** What commands need of the supervisor's program. */
export interface SupervisorPort {
  /** Its file; undefined where there is none. */
  supervisorProgram(): string | undefined;
  /** This process becomes the supervisor of a command, under its own id. Returns only where there is none. */
  becomeSupervisorOf(command: readonly string[]): void;
}
