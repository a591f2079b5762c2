/** Contents of messages as the vault keeps them: what a later version made stays as it came. */
import {
  content as contentSchema,
  ERROR_CODES,
  parse,
  toBase64Url,
  type Content,
  type Target,
} from '@0fc/protocol';
import { ClientError } from '../contract/errors.js';

/** The content as this version knows it; null: it takes a newer client. */
export function knownContent(content: unknown): Content | null {
  try {
    return parse(contentSchema, content);
  } catch (error) {
    if (ClientError.from(error).code !== ERROR_CODES.MALFORMED) throw error;
    return null;
  }
}

/** A name for (sender, instance, n): what contents point at. */
export const targetKey = ({ sender, instance, n }: Target): string =>
  `${sender}/${toBase64Url(instance)}/${String(n)}`;
