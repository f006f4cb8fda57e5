/** What a supervisor gives the process that it runs. */
export interface SupervisorLink {
  /** To be spoken to through it. */
  readonly socket: number;
  /** Times that a server was started again. */
  readonly restarts: number;
  /** Why there is another one. */
  readonly reason: string;
  /** This server was started beside one that serves until this one is ready. */
  readonly standsBy: boolean;
  /** It serves only if the server beside which it was started dies. */
  readonly isSpare: boolean;
  /** nice(2) of the process where no reader waits for it. */
  readonly nice: number;
  /** Descriptors that a server before had it keep, by name; `orders` is where the supervisor speaks. */
  readonly kept: ReadonlyMap<string, number>;
  /** Variables that another supervisor, and the servers that it starts, need. */
  readonly environment: Readonly<Record<string, string>>;
}
