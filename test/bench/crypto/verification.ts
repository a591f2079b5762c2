/**
 * What it costs to verify a signature of Themis's, by Themis and by the platform's ECDSA, over the same containers: one
 * after the other, and many at once. Runs on Node and in a worker of the browser alike (docs/decisions/0049).
 */
import { generateKeyPair, signBody, type Ports } from '@0fc/crypto/keys';
import { verifyContainer } from '@0fc/crypto/verify';
import type { Body, Bytes, MemberId, RoomId } from '@0fc/protocol';
import { importVerifying, partsOf } from '../../../libs/crypto/src/verify/platform-ecdsa.spec-support.js';

export const SIGNATURES = 200;
const ROUNDS = 5;

/** Milliseconds a signature, the least of the rounds. */
export interface Verification {
  readonly themis: number;
  readonly platform: number;
  /** all of them asked for at once */
  readonly platformAtOnce: number;
}

export interface Signed {
  readonly key: Bytes;
  readonly containers: readonly Bytes[];
}

/** Messages of one member. Themis must be loaded. */
export function signedMessages({ random }: Pick<Ports, 'random'>): Signed {
  const identity = generateKeyPair();
  const containers = Array.from({ length: SIGNATURES }, (_, at) => {
    const body: Body<'message'> = {
      roomId: 'AAAAAAAAAAAAAAAAAAAAAA' as RoomId,
      epoch: 1,
      sender: 'AAAAAAAAAAAAAAAAAAAAAA' as MemberId,
      instance: random.bytes(16),
      n: at + 1,
      mid: random.bytes(16),
      seen: { position: { g: 1, s: at }, t: random.bytes(32) },
      sentAt: 1_790_000_000_000 + at,
      content: {
        type: 'text',
        text: `Line ${String(at)}: the bus was late, so we walked the rest of the way`,
      },
    };
    return signBody(identity, 'message', body);
  });
  return { key: identity.publicKey, containers };
}

/** Milliseconds for all of them, once, by Themis. */
export function verifyAll({ key, containers }: Signed): number {
  const began = performance.now();
  for (const container of containers) verifyContainer(key, container);
  return performance.now() - began;
}

export async function measureVerification(ports: Pick<Ports, 'random'>): Promise<Verification> {
  const signed = signedMessages(ports);
  const verify = await importVerifying(signed.key);
  const parts = signed.containers.map(partsOf);
  const each = async (work: () => unknown): Promise<number> => {
    const began = performance.now();
    await work();
    return (performance.now() - began) / SIGNATURES;
  };
  const rounds: Verification[] = [];
  while (rounds.length < ROUNDS)
    rounds.push({
      themis: await each(() => verifyAll(signed)),
      platform: await each(async () => {
        for (const part of parts) if (!(await verify(part))) throw new Error('does not verify');
      }),
      platformAtOnce: await each(async () => {
        if (!(await Promise.all(parts.map(verify))).every(Boolean)) throw new Error('does not verify');
      }),
    });
  const least = (of: (round: Verification) => number): number => Math.min(...rounds.map(of));
  return {
    themis: least(({ themis }) => themis),
    platform: least(({ platform }) => platform),
    platformAtOnce: least(({ platformAtOnce }) => platformAtOnce),
  };
}
