/** Whether a member's vault still holds a secret: in any record that its passphrase opens, or in the bytes of its files. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LIMITS, type Bytes } from '@0fc/protocol';
import { exposeSecret, type InviteToken, type JoinKey, type KeyPair } from '@0fc/crypto/keys';
import { STORES } from '../../../libs/client/src/vault/records.js';
import type { Member } from '../../support/member.js';
import { inVaultOf } from '../../support/vault-of.js';

export type Secrets = Readonly<Record<string, Bytes>>;

/** The number of a private key alone: whatever container it were kept in. */
const numberOf = ({ privateKey }: KeyPair): Bytes => exposeSecret(privateKey).slice(-LIMITS.hashBytes);

/** What opens a recorded join request, and what a recorded reply needs beside the join key. */
export const secretsOf = ({
  pair,
  token,
  joinKey = null,
}: {
  readonly pair?: KeyPair | null;
  readonly token: InviteToken | null;
  readonly joinKey?: JoinKey | null;
}): Secrets => ({
  ...(pair === null || pair === undefined ? {} : { 'private key': numberOf(pair) }),
  ...(token === null ? {} : { token: exposeSecret(token) }),
  ...(joinKey === null ? {} : { 'join key': exposeSecret(joinKey) }),
});

/** Which of them are found, by name. */
export async function held(member: Member, secrets: Secrets): Promise<readonly string[]> {
  const places: Bytes[] = await inVaultOf(member, async (vault) => {
    const stores = await Promise.all(Object.values(STORES).map((store) => vault.list(store)));
    return stores.flat().map(({ value }) => value);
  });
  if (places.length === 0) throw new Error('a vault without records');
  for (const file of await readdir(member.folder)) places.push(await readFile(join(member.folder, file)));
  return Object.entries(secrets).flatMap(([name, secret]) =>
    places.some((place) => Buffer.from(place).includes(Buffer.from(secret))) ? [name] : [],
  );
}
