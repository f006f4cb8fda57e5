/** What a supervisor gives the process that it starts (docs/takeover.md). */
export interface SupervisorLink {
  /** Takes the server's messages. */
  readonly socket: number;
  /** Times that a server was started again. */
  readonly restarts: number;
  /** Why there is another server. */
  readonly reason: string;
  /** This server was started beside one that serves until this one is ready. */
  readonly standsBy: boolean;
  /** It serves only if the server beside which it was started dies; otherwise as soon as it is ready. */
  readonly isStandby: boolean;
  /** nice(2) of the process while no reader waits for it. */
  readonly nice: number;
  /** Descriptors that the supervisor keeps, by name, and `orders`, where the supervisor speaks. */
  readonly kept: ReadonlyMap<string, number>;
  /** Variables that another supervisor needs, and the servers that it starts. */
  readonly environment: Readonly<Record<string, string>>;
}
