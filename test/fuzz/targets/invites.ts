/** Invites as somebody pastes them: broken text, and links whose check bytes are right and whose content is not. */
import {
  concat,
  decodeCbor,
  encodeCbor,
  fromUtf8,
  inviteLink,
  toBase64Url,
  utf8,
  type Bytes,
  type CborValue,
} from '@0fc/protocol';
import { createInvite, generateKeyPair } from '@0fc/crypto/keys';
import { nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { readInvite } from '../../../libs/client/src/account/invite-text.js';
import { sample } from '../../../libs/protocol/src/sample.spec-support.js';
import type { Dice } from '../../support/random.js';
import type { Corpus } from '../corpus.js';
import { mutate } from '../mutate.js';
import { expectThat, judgedLater, type Outcome, type Target } from '../target.js';
import { randomText, varied } from '../values.js';

const RELAY = 'https://chat.example';
/** by which the links of the corpus have not ended: Unix ms */
const NOW = 1_999_999_000_000;
const ports = { hash: nodeHash, random: nodeRandom, clock: systemClock };

async function fragmentOf(body: Bytes): Promise<string> {
  return toBase64Url(concat(body, (await nodeHash.sha256(body)).subarray(0, 4)));
}

function wrapped(dice: Dice, fragment: string): string {
  switch (dice.below(6)) {
    case 0:
      return `${RELAY}/join#${fragment}`;
    case 1:
      return `https://elsewhere.example/join#${fragment}`;
    case 2:
      return ` ${fragment.replace(/(.{20})/g, '$1\n')} `;
    case 3:
      return `${randomText(dice)}#${fragment}`;
    case 4:
      return `#${fragment}${randomText(dice)}`;
    default:
      return fragment;
  }
}

/** What a text that somebody pasted may end in. */
const REFUSALS = ['INVITE_MALFORMED', 'INVITE_OTHER', 'INVITE_OUTDATED', 'UNSUPPORTED_VERSION'];

/** The same text is read the same way twice, and what is refused is refused as an invite. */
async function judgeInvite(text: string): Promise<Outcome> {
  const outcome = await judgedLater(async () => {
    const link = await readInvite(nodeHash, text, RELAY, NOW);
    expectThat(link.ownerKey.length === 45 && link.token.length === 32, 'a link without its parts');
  });
  const fine = outcome === 'ok' || REFUSALS.some((code) => outcome.startsWith(code));
  expectThat(fine, `refused with ${outcome}`);
  return outcome;
}

export const invitesTarget = (corpus: Corpus): Target => ({
  name: 'invites',
  share: 40_000,
  limitMs: 2_000,
  settleEvery: 10_000,
  prepare: async (_dice, keep) => {
    const made = await createInvite(ports, {
      roomId: 'AAECAwQFBgcICQoLDA0ODw' as Parameters<typeof createInvite>[1]['roomId'],
      ownerKey: generateKeyPair().publicKey,
      relayKeyHash: nodeRandom.bytes(32),
      expires: 2_000_000_000_000,
    });
    const whole = Uint8Array.from(Buffer.from(made.fragment, 'base64url'));
    const value: CborValue = decodeCbor(whole.subarray(0, -4));
    const plain = sample(inviteLink);
    return {
      async run(one) {
        let text: string;
        if (one.once(3)) {
          const letters = one.once(3)
            ? one.of([...corpus.of('text'), utf8(made.fragment)])
            : utf8(made.fragment);
          // Latin letters only: whatever bytes come out of the mutation are a text.
          text = String.fromCharCode(...mutate(one, letters));
        } else {
          const body = encodeCbor(varied(one, one.once(4) ? plain : value));
          text = await fragmentOf(one.once(8) ? mutate(one, body) : body);
        }
        const pasted = wrapped(one, text);
        const outcome = await judgeInvite(pasted);
        // An input that opens would put a token into the repository.
        if (outcome !== 'ok') keep('text', outcome, utf8(pasted));
        return outcome;
      },
    };
  },
});

export const replayInvite = (input: Bytes): Promise<Outcome> => judgeInvite(fromUtf8(input));
