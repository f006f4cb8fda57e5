export interface QueueMessage {
  readonly body: string;
  /** Names this delivery of the message. */
  readonly receipt: string;
}

/** A queue of messages, each of which stays until it is deleted. */
export interface EventQueue {
  /** The most messages that one receive returns. */
  readonly mostMessages: number;
  /** `waits`: whether to wait for messages, some 20 s. Rejects with StoreError, or with the signal's reason. */
  receive(options: {
    readonly waits: boolean;
    readonly signal: AbortSignal;
  }): Promise<readonly QueueMessage[]>;
  /** Messages that cannot be deleted are delivered again. Rejects as `receive` does. */
  delete(messages: readonly QueueMessage[], signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
