/**
 * For how long a rotation for a full room keeps a thread from everything else: its link, other rooms, the page. Runs on
 * Node and in a worker of the browser alike.
 */
import {
  createGenesis,
  generateHybridKeyPair,
  generateKeyPair,
  hybridPublicKey,
  makeRotation,
  type Ports,
} from '@0fc/crypto/keys';
import { memberIdOf, startRoster, type HybridPrekey, type RosterMember } from '@0fc/crypto/verify';
import { LIMITS, type MemberId } from '@0fc/protocol';

const ROUNDS = 3;

/** Milliseconds between two turns of the thread's loop, at most, in the least of the rounds. Themis must be loaded. */
export async function longestSlice(ports: Ports, members = LIMITS.maxMembers): Promise<number> {
  const settings = {
    rotateEvery: 100,
    maxMembers: members,
    history: 1_000,
    approval: false,
    joinDeadline: 86_400_000,
  };
  const room = await createGenesis(ports, { settings });
  const alone = await startRoster(ports.hash, room.container);
  const all = new Map<MemberId, RosterMember>(alone.members);
  const prekeys = new Map<MemberId, HybridPrekey>([[alone.owner, { k: 1, ...hybridPublicKey(room.prekey) }]]);
  while (all.size < members) {
    const { publicKey: key } = generateKeyPair();
    const memberId = await memberIdOf(ports.hash, key);
    all.set(memberId, { memberId, key, admit: alone.head, epoch: 1 });
    prekeys.set(memberId, { k: 1, ...hybridPublicKey(generateHybridKeyPair(ports.random)) });
  }
  const roster = { ...alone, members: all };
  const { identity, roomKey } = room;
  const rotate = (): Promise<unknown> =>
    makeRotation(ports, { identity, roster, epoch: 1, roomKey, base: null, prekeys, least: new Map() });
  const rounds: number[] = [];
  while (rounds.length < ROUNDS) rounds.push(await longestGap(rotate));
  return Math.min(...rounds);
}

/** Milliseconds between two messages of a port to itself, at most, while `work` runs. */
async function longestGap(work: () => Promise<unknown>): Promise<number> {
  const { port1, port2 } = new MessageChannel();
  let [last, longest] = [performance.now(), 0];
  const turn = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  port1.onmessage = () => {
    turn();
    port2.postMessage(null);
  };
  port2.postMessage(null);
  await work();
  turn();
  port1.close();
  return longest;
}
