/** Changes of the settings of a room, which a relay limits in rate (docs/protocol.md section 4). */
import { decodeBody, ERROR_CODES, ROSTER_KINDS, SETTINGS_FIELDS, type RoomSettings } from '@0fc/protocol';
import { containerBody } from '@0fc/crypto/verify';
import { ClientError } from '../../contract/errors.js';
import { set, type RoomDraft, type RoomSnapshot } from '../state/draft.js';

/** Time in which a relay counts changes of the settings, in milliseconds: older ones are not kept. */
export const HOUR_MS = 3_600_000;

/**
 * Values below which a change is shown with a warning: entries of history (members that are away for days miss
 * lines), and the deadline of a join in milliseconds.
 */
const LOW = { history: 1_000, joinDeadline: HOUR_MS } as const;

/** The settings that the owner has requested last, or the current ones. */
export const wishedSettings = ({ core, roster }: RoomSnapshot): RoomSettings =>
  core.tasks.settings ?? roster.settings;

export const sameSettings = (a: RoomSettings, b: RoomSettings): boolean => changedFields(a, b).length === 0;

const changedFields = (a: RoomSettings, b: RoomSettings): readonly (keyof RoomSettings)[] =>
  SETTINGS_FIELDS.filter((name) => a[name] !== b[name]);

/** What the settings were after an entry of the chain. */
export function settingsAt({ chain }: RoomSnapshot, index: number): RoomSettings {
  for (let at = index; at >= 0; at--) {
    const container = chain.get(at);
    if (container === undefined) break;
    const signed = decodeBody(containerBody(container), ...ROSTER_KINDS);
    if (signed.kind === 'settings' || signed.kind === 'genesis') return signed.body.settings;
  }
  throw new ClientError(ERROR_CODES.INTERNAL);
}

/**
 * Numbers of the line that shows a change: each changed value, its former value (`…Was`; 1 and 0 for yes and no), and
 * a warning (`…Low`) where members can miss lines or be kept out.
 */
export function settingsNumbers(
  was: RoomSettings,
  now: RoomSettings,
  members: number,
): Readonly<Record<string, number>> {
  const low = {
    history: now.history < LOW.history,
    joinDeadline: now.joinDeadline < LOW.joinDeadline,
    maxMembers: now.maxMembers <= members,
    rotateEvery: false,
    approval: false,
  };
  return Object.fromEntries(
    changedFields(was, now).flatMap((name) => [
      [name, Number(now[name])],
      [`${name}Was`, Number(was[name])],
      ...(low[name] ? [[`${name}Low`, 1]] : []),
    ]),
  ) as Readonly<Record<string, number>>;
}

/** Settings entries of the whole chain. */
export function settingsEntries({ chain }: RoomSnapshot): number {
  let count = 0;
  for (const container of chain.values()) {
    if (decodeBody(containerBody(container), ...ROSTER_KINDS).kind === 'settings') count += 1;
  }
  return count;
}

/** `time`: when the relay placed one that was read just now, Unix ms. */
export function noteSettings(draft: RoomDraft, time: number): void {
  const recent = draft.core.settingsPlaced.filter((placed) => placed > time - HOUR_MS);
  draft.apply(set({ settingsPlaced: [...recent, time] }));
}
