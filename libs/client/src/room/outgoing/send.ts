/** Sends due requests: the only way from a part to the relay. */
import type { RequestKind } from '@0fc/protocol';
import { ClientError } from '../../contract/errors.js';
import type { Due, DueOf, RequestPort } from './part.js';
import { verdictOn } from './refusals.js';

/** Rejects with the refusal. */
export async function send<K extends RequestKind>(link: RequestPort, due: DueOf<K>): Promise<void> {
  const reply = await link.request(due.kind, due.body);
  await due.done?.(reply);
}

/** Sends requests one after the other, while their refusals are settled. Rejects with the first refusal that is not. */
export async function sendInTurn(link: RequestPort, dues: AsyncIterable<Due>): Promise<void> {
  for await (const due of dues) {
    try {
      await send(link, due);
    } catch (error) {
      const { code } = ClientError.from(error);
      const verdict = verdictOn(code);
      const settled =
        verdict !== 'offline' && verdict !== 'retry' && (await due.refused?.(code)) === 'settled';
      if (!settled) throw error;
    }
  }
}
