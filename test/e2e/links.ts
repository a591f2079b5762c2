/** Invite links that are changed by hand. */
import { concat, decodeCbor, encodeCbor, fromBase64Url, toBase64Url, type CborValue } from '@0fc/protocol';
import { createHash } from 'node:crypto';

const CHECK_BYTES = 4;

/** The same invite, as it would be had it been made to end at another time (Unix ms), its check bytes put right. */
export function expiringAt(link: string, expires: number): string {
  const [address = '', fragment = ''] = link.split('#');
  const fields = decodeCbor((fromBase64Url(fragment) ?? new Uint8Array()).slice(0, -CHECK_BYTES));
  const body = encodeCbor({ ...(fields as Record<string, CborValue>), expires });
  const check = createHash('sha256').update(body).digest().subarray(0, CHECK_BYTES);
  return `${address}#${toBase64Url(concat(body, check))}`;
}
