/** Where a client's relay is, and what is known of its key. */
import type { Bytes } from '@0fc/protocol';

export interface ClientOptions {
  /** origin of the relay, e.g. https://chat.example */
  readonly relayUrl: string;
  /** compiled in, or null (section 3) */
  readonly relayPublicKey: Bytes | null;
  /** what the deployment serves at first use; RELAY_UNREACHABLE */
  fetchRelayKey(): Promise<Bytes>;
  /** the relay's clock, Unix ms, as its HTTP answers name it; RELAY_UNREACHABLE */
  fetchRelayTime(): Promise<number>;
}
