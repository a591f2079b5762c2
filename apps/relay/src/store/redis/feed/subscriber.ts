/** The port between the feed and the servers that publish: sharded subscriptions, and word of their loss. */

export interface SubscriberEvents {
  /** In the order in which the server published. */
  message(channel: string, message: Buffer): void;
  /** These channels are heard no longer, whoever ended it; they are subscribed to again by the feed alone. */
  lost(channels: readonly string[]): void;
}

export interface Subscriber {
  /** Called once, before anything else. */
  listen(events: SubscriberEvents): void;
  /** Resolves once the server has confirmed; rejects where it cannot now. */
  subscribe(channel: string): Promise<void>;
  unsubscribe(channel: string): void;
  /**
   * Asks every connection in use for an answer: what was published before has been told before it
   * resolves. A connection that does not answer in time is ended, which tells of its channels' loss.
   */
  probe(): Promise<void>;
  /** whether every connection in use is up */
  readonly alive: boolean;
  close(): void;
}
