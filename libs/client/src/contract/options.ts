/** Where a client's relay is, and what is known of its key. */
import type { Bytes } from '@0fc/protocol';

export interface ClientOptions {
  /** origin of the relay, e.g. https://chat.example */
  readonly relayUrl: string;
  /** compiled in, or null (section 3) */
  readonly relayPublicKey: Bytes | null;
  /** Fetches the key that the deployment serves, at first use. Rejects with RELAY_UNREACHABLE. */
  fetchRelayKey(): Promise<Bytes>;
  /** Fetches the time of the relay from its HTTP replies, Unix ms. Rejects with RELAY_UNREACHABLE. */
  fetchRelayTime(): Promise<number>;
}
