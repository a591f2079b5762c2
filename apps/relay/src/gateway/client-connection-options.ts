/** What the connections of one relay share, and what each reports to it. */
import type { RoomId } from '@0fc/protocol';
import type { KeyPair } from '@0fc/crypto/link';
import type { TokenBuckets } from '../limits/token-buckets.js';
import type { ConnectionMetrics } from '../metrics/metrics.js';
import type { RelayContext } from '../rooms/commands/context.js';
import type { Rate } from '../rooms/port/room-store.js';
import type { HandshakeGate } from './handshake-gate.js';
import type { ConnectionLog } from './wire.js';

export interface ClientConnectionOptions {
  readonly relay: KeyPair;
  readonly context: RelayContext;
  readonly gate: HandshakeGate;
  readonly requestBuckets: TokenBuckets;
  /** requests of one connection */
  readonly requestRate: Rate;
  readonly byteBuckets: TokenBuckets;
  /** bytes that one connection sends, and what taking each value in them costs, in bytes */
  readonly byteRate: Rate;
  readonly queueBytes: number;
  readonly handshakeMs: number;
  /** as {@link Heartbeat} keeps it: what clients are promised */
  readonly heartbeatMs: number;
  /** after this long a connection that ends is ended, sent or not */
  readonly closeMs: number;
  readonly metrics: ConnectionMetrics;
  /** The room's feed has confirmed that this is the member's only connection. */
  readonly onAnnounced: (roomId: RoomId) => void;
  readonly log: ConnectionLog;
}
