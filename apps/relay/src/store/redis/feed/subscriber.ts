/** The port between the feed and the servers that publish: sharded subscriptions, and reports of their loss. */

export interface SubscriberEvents {
  /** In the order in which the server published. */
  message(channel: string, message: Buffer): void;
  /** These subscriptions have ended, whoever ended them; the feed alone subscribes again. */
  lost(channels: readonly string[]): void;
}

export interface Subscriber {
  /** Called once, before anything else. */
  listen(events: SubscriberEvents): void;
  /** Resolves once the server has confirmed; rejects where it cannot now. */
  subscribe(channel: string): Promise<void>;
  unsubscribe(channel: string): void;
  /**
   * Asks every connection in use for an answer: what was published before has been delivered before it
   * resolves. A connection that does not answer in time is ended, which reports the loss of its channels.
   */
  probe(): Promise<void>;
  /** whether every connection in use is up */
  readonly alive: boolean;
  close(): void;
}
