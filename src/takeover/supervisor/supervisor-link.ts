/** What a supervisor passes to a server that it starts (docs/takeover.md). */
export interface SupervisorLink {
  /** The socket for the server's messages. */
  readonly socket: number;
  /** How often a server was started again. */
  readonly restarts: number;
  /** Why there is another server. */
  readonly reason: string;
  /** This server was started beside another one, which serves until this one is ready. */
  readonly standsBy: boolean;
  /** True: it serves only if the other server dies. False: it serves as soon as it is ready. */
  readonly isStandby: boolean;
  /** The nice value of the process while no reader waits for it. */
  readonly nice: number;
  /** Descriptors that the supervisor keeps, by name, and `orders`, which the supervisor writes to. */
  readonly kept: ReadonlyMap<string, number>;
  /** Variables for another supervisor and the servers that it starts. */
  readonly environment: Readonly<Record<string, string>>;
}
