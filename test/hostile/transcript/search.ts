/** Searches what a relay saw for secrets, in every form in which they might have got there. */
import { encodeCbor, toHex, type Bytes } from '@0fc/protocol';

export interface Secret {
  readonly name: string;
  readonly bytes: Bytes;
}

/** A place that is searched: anything that the relay had or wrote. */
export interface Haystack {
  readonly name: string;
  readonly bytes: Bytes;
}

/** As base64 at each of three offsets: inside a longer run its letters depend on where it begins. */
function base64Forms(bytes: Bytes): readonly string[] {
  return [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), Buffer.from(bytes)]).toString('base64');
    // Letters that share bits with a neighbour are left out, at both ends.
    const from = offset === 0 ? 0 : offset + 1;
    const whole = Math.floor(((offset + bytes.length) * 8) / 6);
    return text.slice(from, whole);
  });
}

/** Every form, by name: raw, hexadecimal, base64 and base64url (also out of step), CBOR, percent-encoded, JSON. */
export function formsOf({ bytes }: Secret): readonly { readonly form: string; readonly needle: Buffer }[] {
  const raw = Buffer.from(bytes);
  const form = (name: string, text: string): { form: string; needle: Buffer } => ({
    form: name,
    needle: Buffer.from(text),
  });
  const base64 = base64Forms(bytes);
  const text = raw.toString('utf8');
  const isText = Buffer.from(text).equals(raw);
  return [
    { form: 'raw', needle: raw },
    form('hex', toHex(bytes)),
    form('HEX', toHex(bytes).toUpperCase()),
    ...base64.map((letters) => form('base64', letters)),
    ...base64.map((letters) => form('base64url', letters.replaceAll('+', '-').replaceAll('/', '_'))),
    { form: 'CBOR bytes', needle: Buffer.from(encodeCbor(bytes)) },
    // A byte array that went through JSON, as a log would have it.
    form('JSON bytes', [...bytes].join(',')),
    ...(isText
      ? [
          { form: 'CBOR text', needle: Buffer.from(encodeCbor(text)) },
          form('JSON text', JSON.stringify(text).slice(1, -1)),
          form('URL', encodeURIComponent(text)),
          { form: 'UTF-16', needle: Buffer.from(text, 'utf16le') },
        ]
      : []),
  ];
}

/** What is found where, in words: empty for a relay that saw nothing. Secrets too short to mean anything are refused. */
export function search(haystacks: readonly Haystack[], secrets: readonly Secret[]): readonly string[] {
  for (const { name, bytes } of secrets)
    if (bytes.length < 5) throw new Error(`${name} is too short to be searched for`);
  return haystacks.flatMap((haystack) => {
    const hay = Buffer.from(haystack.bytes.buffer, haystack.bytes.byteOffset, haystack.bytes.length);
    return secrets.flatMap((secret) =>
      formsOf(secret).flatMap(({ form, needle }) =>
        hay.includes(needle) ? [`${secret.name} as ${form} in ${haystack.name}`] : [],
      ),
    );
  });
}
