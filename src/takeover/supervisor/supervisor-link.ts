/** What a supervisor passes to a server that it starts (docs/takeover.md). */
export interface SupervisorLink {
  /** The descriptor of the socket on which the server sends messages. */
  readonly socket: number;
  /** How often a server was started again. */
  readonly restarts: number;
  /** Why the supervisor started another server: `<cause>: <text>`. */
  readonly reason: string;
  /** Whether this server was started beside another one, which still serves. */
  readonly standsBy: boolean;
  /**
   * Whether this server is a standby, which serves only if the other server dies. If it `standsBy` but is no
   * standby, it is a replacement, which serves as soon as it is ready.
   */
  readonly isStandby: boolean;
  /** The nice value that this process should have while no reader waits for it. */
  readonly nice: number;
  /** Descriptors that the supervisor keeps, by name, and `orders`, which the supervisor writes to. */
  readonly kept: ReadonlyMap<string, number>;
  /** Environment variables for another supervisor, and for the servers that it starts. */
  readonly environment: Readonly<Record<string, string>>;
}
