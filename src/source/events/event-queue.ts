export interface QueueMessage {
  readonly body: string;
  /** Identifies this delivery of the message. */
  readonly receipt: string;
}

/** A queue of messages, each of which stays until it is deleted. */
export interface EventQueue {
  /** The maximum number of messages that one receive returns. */
  readonly mostMessages: number;
  /**
   * Returns messages that the queue delivers. If there are none and `waits` is true, waits for messages, some
   * 20 s. Rejects with StoreError, or with the signal's reason.
   */
  receive(options: {
    readonly waits: boolean;
    readonly signal: AbortSignal;
  }): Promise<readonly QueueMessage[]>;
  /**
   * Deletes messages. The queue delivers a message again if it could not be deleted. Rejects as `receive`
   * does.
   */
  delete(messages: readonly QueueMessage[], signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
