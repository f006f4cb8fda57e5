export interface QueueMessage {
  readonly body: string;
  /** Names this delivery of the message. */
  readonly receipt: string;
}

/** A queue of messages, each of which stays until it is deleted. */
export interface EventQueue {
  /** As many messages as one receive gives at most. */
  readonly mostMessages: number;
  /** `waits`: some 20 s for messages. Rejects with StoreError, or with the signal's reason. */
  receive(options: {
    readonly waits: boolean;
    readonly signal: AbortSignal;
  }): Promise<readonly QueueMessage[]>;
  /** Those that cannot be deleted come again. Rejects as `receive` does. */
  delete(messages: readonly QueueMessage[], signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
