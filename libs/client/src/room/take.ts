/**
 * Taking in the log, entry by entry, in its order (docs/protocol.md sections 4, 6, 7).
 *
 * Nothing here trusts the relay: an entry that does not prove itself becomes an alarm in
 * its place, and the rest goes on. Only positions ever follow the relay's word; roster
 * head, epoch, keys and counters never go back.
 */
import {
  ALARM_CODES, comparePositions, decodeBody, encodeAs, entry as entrySchema, equalBytes, ERROR_CODES, ROSTER_KINDS,
  type AlarmCode, type Body, type Bytes, type Entry, type GenerationStart,
} from '@0fc/protocol'; // prettier-ignore
import {
  applyRoster, bodyHash, containerBody, memberIdOf, transcriptGeneration, transcriptNext, verifyLeaveRequest, verifyRotation, type Hash,
  type RosterChange,
} from '@0fc/crypto/verify'; // prettier-ignore
import { openRotation } from '@0fc/crypto/keys';
import { ClientError } from '../errors.js';
import type { StoredItem } from './records.js';
import { upsert, type RoomState } from './state.js';
import { alarm, system } from './items.js';
import { takeMessage } from './take-message.js';

/** 'gap': the entry does not follow; nothing was taken in. 'known': it was taken in before. */
export type Taken = 'taken' | 'known' | 'gap';

export async function takeEntry(hash: Hash, state: RoomState, entry: Entry): Promise<Taken> {
  const { core } = state;
  if (comparePositions(entry.position, core.position) <= 0) {
    await compareKnown(hash, state, entry);
    return 'known';
  }
  if (entry.position.g !== core.position.g || entry.position.s !== core.position.s + 1) return 'gap';
  const t = await transcriptNext(hash, core.t, entry);
  const before = core.position;
  core.position = entry.position;
  core.t = t;
  const items =
    entry.kind === 'message'
      ? takeMessage(state, entry, before)
      : entry.kind === 'rotation'
        ? await takeRotation(hash, state, entry)
        : entry.kind === 'roster'
          ? await takeRoster(hash, state, entry)
          : takeLeaveRequest(state, entry);
  state.append({ position: entry.position, t }, entry.time, items);
  return 'taken';
}

/** An entry shown again must be the same one: two under one position are a fork (G7). */
async function compareKnown(hash: Hash, state: RoomState, entry: Entry): Promise<void> {
  const known = state.transcriptAt(entry.position);
  const before = state.transcriptAt({ g: entry.position.g, s: entry.position.s - 1 });
  if (known === null || before === null) return;
  if (equalBytes(await transcriptNext(hash, before, entry), known)) return;
  state.append(null, entry.time, [alarm(ALARM_CODES.ALARM_FORK, null, { position: entry.position.s })]);
}

/** What lies in a gap cannot be had: shown, and the transcript goes on from the relay's word. */
export function acceptGap(state: RoomState, entry: Entry): void {
  const { core } = state;
  state.append(null, entry.time, [
    alarm(ALARM_CODES.ALARM_GAP, null, { from: core.position.s + 1, to: entry.position.s - 1 }),
  ]);
  core.position = { g: entry.position.g, s: entry.position.s - 1 };
}

/** Section 6, Generations: only the position goes back, and a loss is always shown. */
export async function takeGeneration(
  hash: Hash,
  state: RoomState,
  start: GenerationStart,
  now: number,
): Promise<void> {
  const { core } = state;
  if (start.generation <= core.position.g) return;
  const position = { g: start.generation, s: start.from.s };
  const lost = core.position.s - start.from.s;
  const from = lost > 0 ? (state.transcriptAt(start.from) ?? core.t) : core.t;
  const t = await transcriptGeneration(hash, from, start.generation);
  core.position = position;
  core.t = t;
  state.append(
    { position, t },
    now,
    lost > 0
      ? [
          alarm(ALARM_CODES.ALARM_RELAY_LOST, null, {
            from: start.from.s + 1,
            to: start.from.s + lost,
            restored: 0,
          }),
        ]
      : [],
  );
}

async function takeRoster(hash: Hash, state: RoomState, entry: Entry): Promise<readonly StoredItem[]> {
  try {
    const head = await bodyHash(hash, entry.payload);
    // A newcomer has the chain up to its join reply; what the log shows of it again is only shown.
    if (!state.inChain(head)) {
      const { roster, change } = await applyRoster(hash, state.roster, entry.payload);
      state.extendChain(entry.payload, head, roster);
      settlePending(state, entry.payload, null);
      followChange(state, change);
    }
    return [await describe(hash, entry)];
  } catch (error) {
    const stale = ClientError.from(error).code === ERROR_CODES.STALE_HEAD;
    return [alarm(ALARM_CODES.ALARM_BAD_ROSTER, entry.sender, { stale: stale ? 1 : 0 })];
  }
}

function followChange(state: RoomState, change: RosterChange): void {
  const { core } = state;
  if (change.kind === 'remove' || change.kind === 'leave') {
    if (change.member === core.me) core.stage = change.kind === 'leave' ? 'left' : 'removed';
    // Nothing is sent until the rotation on this head arrives (section 4).
    else core.paused = true;
  }
  if (change.kind === 'close') core.stage = 'closed';
  if (change.kind !== 'admit') return;
  const joiner = state.invites.get(change.inviteId)?.joiner ?? null;
  if (joiner !== null) {
    const { member: memberId } = change;
    upsert(core.people, (person) => person.memberId === memberId, {
      memberId,
      name: joiner.name,
      proof: null,
    });
  }
  // Token and join key are deleted at admit (section 5.10).
  if (state.invites.has(change.inviteId)) state.dropInvite(change.inviteId);
}

async function describe(hash: Hash, entry: Entry): Promise<StoredItem> {
  const signed = decodeBody(containerBody(entry.payload), ...ROSTER_KINDS);
  const actor = entry.sender;
  switch (signed.kind) {
    case 'genesis':
      return system('created', { actor });
    case 'admit':
      return system('admitted', { actor, member: await memberIdOf(hash, signed.body.key) });
    case 'remove':
      return system('removed', { actor, member: signed.body.member });
    case 'leave':
      return system('left', { member: signed.body.member });
    case 'transfer':
      return system('transferred', { actor, member: signed.body.to });
    case 'settings':
      return system('settings', { actor, numbers: { rotateEvery: signed.body.settings.rotateEvery } });
    case 'close':
      return system('closed', { actor });
  }
}

function takeLeaveRequest(state: RoomState, entry: Entry): readonly StoredItem[] {
  try {
    verifyLeaveRequest(state.roster, entry.sender, entry.payload);
    return [system('leaving', { member: entry.sender })];
  } catch (error) {
    return [
      alarm(ALARM_CODES.ALARM_BAD_SIGNATURE, entry.sender, {
        malformed: ClientError.from(error).code === 'MALFORMED' ? 1 : 0,
      }),
    ];
  }
}

async function takeRotation(hash: Hash, state: RoomState, entry: Entry): Promise<readonly StoredItem[]> {
  const { core } = state;
  let rotation: Body<'rotation'>;
  try {
    rotation = await verifyRotation(hash, state.roster, core.epoch, entry.clear, entry.payload);
  } catch (error) {
    const forged = ClientError.from(error).code === ERROR_CODES.BAD_SIGNATURE;
    return [alarm(ALARM_CODES.ALARM_FOREIGN_ROTATION, entry.sender, { forged: forged ? 1 : 0 })];
  }
  const items: StoredItem[] = [
    system('rotated', { actor: state.roster.owner, numbers: { epoch: rotation.newEpoch } }),
  ];
  const opened = adoptOwn(state, rotation) ?? (await openOwnWrap(hash, state, rotation, entry));
  if ('code' in opened) items.push(alarm(opened.code, state.roster.owner, { epoch: rotation.newEpoch }));
  settlePending(state, null, entry.clear);
  state.keepRotation(rotation.newEpoch, encodeAs(entrySchema, entry));
  core.epoch = rotation.newEpoch;
  core.epochMessages = 0;
  core.rotationWanted = false;
  if (equalBytes(rotation.head, state.roster.head)) core.paused = false;
  core.keys.push({
    epoch: rotation.newEpoch,
    key: 'key' in opened ? opened.key : null,
    keyHash: rotation.keyHash,
    rotation: entry.clear,
    floor: entry.position,
    t: core.t,
    counters: core.counters.map((counter) => ({ ...counter })),
    since: entry.time,
  });
  forgetKeys(state);
  return items;
}

/** One's own rotation, read back: only now is its key adopted (section 7). Null: it is not one's own. */
function adoptOwn(state: RoomState, rotation: Body<'rotation'>): { readonly key: Bytes } | null {
  const { core } = state;
  const candidate = core.pending?.candidate ?? null;
  if (candidate?.epoch !== rotation.newEpoch || !equalBytes(candidate.keyHash, rotation.keyHash)) return null;
  // Its own wrap used the newest prekey of this device: a new one is due.
  core.usedK = Math.max(core.usedK, ...core.prekeys.map((prekey) => prekey.k));
  core.prekeys = core.prekeys.filter((prekey) => prekey.k >= core.usedK);
  return { key: candidate.key };
}

async function openOwnWrap(
  hash: Hash,
  state: RoomState,
  rotation: Body<'rotation'>,
  entry: Entry,
): Promise<{ readonly key: Bytes } | { readonly code: AlarmCode }> {
  const { core } = state;
  const oldKey = state.current.key;
  if (oldKey === null) return { code: ALARM_CODES.ALARM_NO_KEY };
  try {
    const { key, k } = await openRotation(hash, {
      roster: state.roster,
      rotation,
      payload: entry.payload,
      wrap: entry.wrap,
      oldKey,
      memberId: core.me,
      prekeys: new Map(core.prekeys.map((prekey) => [prekey.k, prekey.pair])),
    });
    core.usedK = Math.max(core.usedK, k);
    // A private prekey goes as soon as a rotation has used a later one (section 7).
    core.prekeys = core.prekeys.filter((prekey) => prekey.k >= k);
    return { key };
  } catch (error) {
    return { code: alarmOf(error) };
  }
}

function alarmOf(error: unknown): AlarmCode {
  if (typeof error === 'object' && error !== null && 'alarm' in error) {
    const named = Object.values(ALARM_CODES).find((code) => code === error.alarm);
    if (named !== undefined) return named;
  }
  return ALARM_CODES.ALARM_NO_KEY;
}

/**
 * A room key goes when the rotation after the one that ended its epoch has been
 * processed (G8), unless a join that was answered under it still needs it.
 */
export function forgetKeys(state: RoomState): void {
  const needed = new Set<number>();
  for (const invite of state.invites.values()) {
    if (invite.stage !== 'replied' && invite.stage !== 'confirmed') continue;
    for (const reply of invite.replies) needed.add(reply.epoch);
  }
  const { core } = state;
  core.keys = core.keys.filter((key) => key.epoch >= core.epoch - 1 || needed.has(key.epoch));
}

/** The owner's command in flight is done once its last part has been read back from the log. */
function settlePending(state: RoomState, entry: Bytes | null, clear: Bytes | null): void {
  const { pending } = state.core;
  if (pending === null) return;
  const done =
    pending.rotation === null
      ? entry !== null && pending.entry !== null && equalBytes(pending.entry, entry)
      : clear !== null && equalBytes(pending.rotation.clear, clear);
  if (done) state.core.pending = null;
}
