/**
 * A handshake frame's outer form, before Themis sees it (docs/protocol.md section 3). Themis believes the lengths that
 * its containers name: one that claims two gigabytes is summed up to the end of memory, which costs what twenty
 * whole handshakes do, and needs no key.
 */
import { LIMITS, type Bytes } from '@0fc/protocol';

/**
 * What a handshake is made of: `hello` of either end (its key as an id, an ephemeral key, a signature), then the
 * client's `proof` (a signature and a MAC), then the relay's `finish` (a MAC).
 */
export type HandshakeForm = 'hello' | 'proof' | 'finish';

/** Of a container: four letters, the length of all of it, a checksum that is Themis' to check. */
const HEAD_BYTES = 12;
const KEY_BYTES = LIMITS.publicKeyBytes;
const ID_BYTES = HEAD_BYTES + KEY_BYTES;
const MAC_BYTES = 32;
/** of ECDSA over P-256, in DER */
const SIGNATURE_BYTES = { least: 8, most: 72 } as const;

function isContainer(body: Bytes, from: number, tag: string, length: number): boolean {
  if (body.length < from + HEAD_BYTES) return false;
  for (let at = 0; at < tag.length; at++) if (body[from + at] !== tag.charCodeAt(at)) return false;
  return new DataView(body.buffer, body.byteOffset).getUint32(from + tag.length) === length;
}

/** A DER sequence of that length: what is in it is judged by who verifies it. */
function isSignature(body: Bytes, from: number, to: number): boolean {
  const length = to - from;
  if (length < SIGNATURE_BYTES.least || length > SIGNATURE_BYTES.most) return false;
  return body[from] === 0x30 && body[from + 1] === length - 2;
}

/** Which of the three it has the form of, lengths and all; null: none, and it is no handshake. */
export function handshakeForm(body: Bytes): HandshakeForm | null {
  if (!isContainer(body, 0, 'TSPM', body.length)) return null;
  if (body.length === HEAD_BYTES + MAC_BYTES) return 'finish';
  if (isSignature(body, HEAD_BYTES, body.length - MAC_BYTES)) return 'proof';
  const [id, key, ephemeral] = [HEAD_BYTES, 2 * HEAD_BYTES, HEAD_BYTES + ID_BYTES];
  const keys =
    isContainer(body, id, 'TSID', ID_BYTES) &&
    isContainer(body, key, 'UEC2', KEY_BYTES) &&
    isContainer(body, ephemeral, 'UEC2', KEY_BYTES);
  return keys && isSignature(body, ephemeral + KEY_BYTES, body.length) ? 'hello' : null;
}
