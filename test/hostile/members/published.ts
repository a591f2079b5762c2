/** The newest prekey of each member, as whoever has read the relay's wire knows it. */
import { decodeBody, type MemberId, type PublishedPrekey } from '@0fc/protocol';
import { nodeHash } from '@0fc/crypto/node';
import { containerBody, memberIdOf, verifyPrekey, type Roster, type HybridPrekey } from '@0fc/crypto/verify';
import type { LyingRelay } from '../relay/lying-relay.js';

export type Published = PublishedPrekey & { readonly memberId: MemberId };

/** Every prekey that was published, or came with an admission: those of a member oldest first. */
export async function published(relay: LyingRelay): Promise<readonly Published[]> {
  const admitted = relay.requests('roster').map(async ({ body: { entry, ek } }) => {
    if (ek === undefined) return [];
    const { key, prekey } = decodeBody(containerBody(entry), 'admit').body;
    return [{ memberId: await memberIdOf(nodeHash, key), prekey, ek }];
  });
  const own = relay.requests('prekey').map(({ memberId, body }) => ({ memberId, ...body }));
  return [...(await Promise.all(admitted)).flat(), ...own];
}

/** The newest of each member on a roster. */
export async function newestOf(
  all: readonly Published[],
  roster: Roster,
): Promise<Map<MemberId, HybridPrekey>> {
  const newest = new Map<MemberId, HybridPrekey>();
  for (const { memberId, ...prekey } of all)
    if (roster.members.has(memberId))
      newest.set(memberId, await verifyPrekey(nodeHash, roster, memberId, prekey));
  return newest;
}
