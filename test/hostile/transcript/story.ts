/** A room from its making to its closing, with everything that can be done in one, and all its secrets. */
import { utf8 } from '@0fc/protocol';
import { exposeSecret, parseInvite } from '@0fc/crypto/keys';
import { nodeHash } from '@0fc/crypto/node';
import { exported } from '../../support/exported.js';
import { Member, value } from '../../support/member.js';
import { until } from '../../support/wait.js';
import { Stolen } from '../members/stolen.js';
import { epochOf, idOf, stageOf } from '../stage.js';
import type { Secret } from './search.js';

export interface Story {
  readonly roomId: string;
  readonly secrets: readonly Secret[];
  /** what the relay may see, and by which its record is shown to be whole */
  readonly public: readonly Secret[];
  readonly members: readonly Member[];
}

const TEXTS = {
  room: 'Le jardin derrière la gare',
  renamed: 'Le jardin sans la gare',
  line: 'nous partons vendredi à minuit',
  reply: 'alors je prends les pelles',
  edited: 'nous partons samedi à minuit',
  deleted: 'le code du portail est 4711',
  inFlight: 'écrit pendant le changement de clé',
  late: 'bienvenue parmi nous, Dorothée',
  draft: 'un brouillon jamais envoyé',
  last: 'brûlez cette conversation',
  alias: 'Tomás le jardinier',
} as const;
const NAMES = ['Amina Belkacem', 'Tomás Villanueva', 'Inès Delacroix', 'Dorothée Lefèvre'] as const;
const EMOJI = '🪴🪴🪴';

/** Takes what a vault holds at this moment along; what is deleted later was a secret all the same. */
async function collect(secrets: Map<string, Secret>, who: Member, roomId: string): Promise<void> {
  const add = (name: string, bytes: Uint8Array | null): void => {
    if (bytes !== null)
      secrets.set(`${name} ${Buffer.from(bytes).toString('hex')}`, { name: `${name} of ${who.name}`, bytes });
  };
  const { core, invites } = await Stolen.from(who, roomId);
  add('identity key', core.identity.privateKey);
  for (const { key } of core.keys) add('room key', key);
  for (const { pair } of core.prekeys) add('prekey', pair.privateKey);
  add('candidate key', core.pending?.candidate?.key ?? null);
  add('needKey prekey', core.needKey?.pair.privateKey ?? null);
  for (const { token, pair, joiner } of invites) {
    add('token', token);
    add('invite key', pair?.privateKey ?? null);
    add('join key', joiner?.joinKey ?? null);
  }
}

/** The whole story at a relay. `between` is called after each step, while its results are still there. */
export async function wholeStory(
  relayUrl: string,
  between: (step: string) => Promise<void> = () => Promise.resolve(),
): Promise<Story> {
  const secrets = new Map<string, Secret>();
  const say = (name: string, text: string): void =>
    void secrets.set(`${name} ${text}`, { name, bytes: utf8(text) });
  const members: Member[] = [];
  const member = async (name: string): Promise<Member> => {
    const made = await Member.create(name, relayUrl);
    members.push(made);
    say('passphrase', made.passphrase);
    return made;
  };
  const link = async (text: string): Promise<string> => {
    const invite = await parseInvite(nodeHash, text);
    secrets.set(`token ${text}`, { name: 'token of a link', bytes: exposeSecret(invite.token) });
    say('link', text.slice(text.indexOf('#') + 1));
    return text;
  };
  for (const [name, text] of Object.entries(TEXTS)) say(`text “${name}”`, text);
  for (const name of NAMES) say('name', name);
  say('reaction', EMOJI);

  const [ownerName, tomasName, inesName, doraName] = NAMES;
  const owner = await member(ownerName);
  const roomId = await owner.createRoom(TEXTS.room, 100, true);
  const join = async (host: Member, name: string): Promise<Member> => {
    const guest = await member(name);
    value(await guest.api.join(await link((await host.invite(roomId)).link), name));
    const approval = await until('the question', () => host.room?.approvals.find((one) => one.name === name));
    value(await host.api.safetyNumber(roomId, approval.inviteId));
    await collect(secrets, host, roomId);
    await between(`while ${name} waits`);
    value(await host.api.decideJoin(roomId, approval.inviteId, true));
    await guest.admitted(roomId);
    await collect(secrets, host, roomId);
    await collect(secrets, guest, roomId);
    return guest;
  };
  const tomas = await join(owner, tomasName);
  const ines = await join(owner, inesName);
  const all = [owner, tomas, ines];
  await until('all to be there', () => all.every((who) => who.room?.members.length === 3));

  // Talk.
  const { id } = value(await owner.api.sendText(roomId, TEXTS.line));
  await tomas.has(TEXTS.line);
  value(await tomas.api.reply(roomId, id, TEXTS.reply));
  value(await tomas.api.react(roomId, id, EMOJI, true));
  value(await tomas.api.typing(roomId));
  value(await owner.api.editMessage(roomId, id, TEXTS.edited));
  const gone = value(await ines.api.sendText(roomId, TEXTS.deleted));
  await owner.has(TEXTS.deleted, TEXTS.reply);
  value(await ines.api.deleteMessage(roomId, gone.id));
  value(await owner.api.renameRoom(roomId, TEXTS.renamed));
  value(await tomas.api.renameMe(roomId, TEXTS.alias));
  value(await owner.api.setDraft(roomId, TEXTS.draft));
  value(await ines.api.markRead(roomId, true));
  value(await owner.api.setVerified(roomId, idOf(tomas), true));
  await until('the names', () => all.every((who) => who.room?.name === TEXTS.renamed));

  await between('after the talk');

  // Keys.
  const sending = tomas.api.sendText(roomId, TEXTS.inFlight);
  value(await owner.api.rotateNow(roomId));
  value(await sending);
  await until('the second key', () => all.every((who) => epochOf(who) === 2));
  for (const who of all) await collect(secrets, who, roomId);
  value(await owner.api.changeSettings(roomId, { rotateEvery: 50, approval: true }));

  // An invite that is revoked, a joiner that is declined.
  const revoked = await owner.invite(roomId);
  await link(revoked.link);
  await collect(secrets, owner, roomId);
  await between('with an open invite');
  value(await owner.api.revokeInvite(roomId, revoked.inviteId));

  // A removal, a hand-over, a newcomer of the new owner's, a departure, the end.
  value(await owner.api.removeMember(roomId, idOf(ines)));
  await until('the removed to know', () => stageOf(ines, roomId) === 'removed');
  await until('the third key', () => [owner, tomas].every((who) => epochOf(who) === 3));
  for (const who of [owner, tomas]) await collect(secrets, who, roomId);
  value(await owner.api.offerOwnership(roomId, idOf(tomas)));
  await until('the offer', () => tomas.room?.ownershipTransfer?.role === 'offered');
  value(await tomas.api.acceptOwnership(roomId));
  await until('the fourth key', () => [owner, tomas].every((who) => epochOf(who) === 4));
  const dora = await join(tomas, doraName);
  await tomas.say(roomId, TEXTS.late);
  await Promise.all([owner.has(TEXTS.late), dora.has(TEXTS.late)]);
  value(await owner.api.leaveRoom(roomId));
  await until('the old owner to have left', () => stageOf(owner, roomId) === 'left');
  await until('the fifth key', () => [tomas, dora].every((who) => epochOf(who) === 5));
  for (const who of [tomas, dora]) await collect(secrets, who, roomId);
  // Absence and return, an export, another passphrase.
  await dora.leave();
  await tomas.say(roomId, TEXTS.last);
  await dora.comeBack(roomId);
  await dora.has(TEXTS.last);
  const file = await exported(dora.api, 'the passphrase of an export');
  say('passphrase', 'the passphrase of an export');
  secrets.set('export', { name: 'export', bytes: file.slice(0, 64) });
  await between('before the end');
  value(await tomas.api.closeRoom(roomId));
  await until('the room to be closed', () => [tomas, dora].every((who) => stageOf(who, roomId) === 'closed'));

  const { roster, core } = await Stolen.from(tomas, roomId);
  const keys = [...roster.members.values()].map(({ memberId, key }) => ({
    name: `public key of ${memberId}`,
    bytes: key,
  }));
  return {
    roomId,
    members,
    secrets: [...secrets.values()],
    public: [...keys, { name: 'room id', bytes: utf8(core.roomId) }],
  };
}
