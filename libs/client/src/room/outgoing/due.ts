/** A request that is due, as a value: what is sent, and what follows from the answer (docs/glossary.md: part, lane, due). */
import type { ErrorCode, ReplyBody, RequestBody, RequestKind } from '@0fc/protocol';
import { ClientError } from '../../contract/errors.js';
import { verdictOn } from './refusals.js';

/**
 * What a refusal that no retry mends comes to: there is nothing left to do about it; the part has to be asked
 * again after a delay; the same, and it is shown until then; nobody expected it.
 */
export type Outcome = 'settled' | 'again' | 'waits' | 'unexpected';

export interface DueOf<K extends RequestKind> {
  readonly kind: K;
  readonly body: RequestBody<K>;
  /** It was carried out. Rejects with a refusal that the reply has in it. */
  done?(reply: ReplyBody<K>): Promise<void> | void;
  /** Where it is left out nothing is expected. */
  refused?(code: ErrorCode): Promise<Outcome> | Outcome;
}

export type Due = { [K in RequestKind]: DueOf<K> }[RequestKind];

/** What can be sent by. */
export interface Link {
  request<K extends RequestKind>(kind: K, body: RequestBody<K>): Promise<ReplyBody<K>>;
}

/** Rejects with the refusal. */
export async function send<K extends RequestKind>(link: Link, due: DueOf<K>): Promise<void> {
  const reply = await link.request(due.kind, due.body);
  await due.done?.(reply);
}

/** Sends one after the other, as far as what each expects. Rejects with the first refusal that is not expected. */
export async function sendInTurn(link: Link, dues: AsyncIterable<Due>): Promise<void> {
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
