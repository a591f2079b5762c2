/** The newest entries as the relay has them, beside what this device reads in them. */
import { displayName, toHex } from '@0fc/protocol';
import type { RelayRow } from '../contract/api.js';
import type { LogRecord } from '../vault/records.js';
import type { RoomState } from '../room/state/state.js';
import { knownContent } from '../vault/content.js';
import type { MemberIdentities } from './member-identities.js';
import { isRelayTimeDoubtful } from './times.js';

/** Newest last. `now`: this device's clock, Unix ms. */
export function relayRowsOf(
  state: RoomState,
  identities: MemberIdentities,
  limit: number,
  now: number,
): readonly RelayRow[] {
  const rows: RelayRow[] = [];
  for (const record of state.log.newestFirst()) {
    if (rows.length >= limit) break;
    const row = rowOf(state, identities, record, now);
    if (row !== null) rows.push(row);
  }
  return rows.reverse();
}

function rowOf(
  state: RoomState,
  identities: MemberIdentities,
  { at, time, items }: LogRecord,
  now: number,
): RelayRow | null {
  const relayed = at?.relayed ?? null;
  if (at === null || relayed === null) return null;
  const { kind, sender, clearBytes, payloadBytes, sample } = relayed;
  return {
    position: { ...at.position },
    kind,
    sender,
    time,
    timeDoubtful: isRelayTimeDoubtful(time, now),
    clearBytes,
    payloadBytes,
    sample: toHex(sample),
    senderName: identities.nameFor(state, sender),
    ...readingOf(items),
  };
}

/** What the first item says; nothing for an entry that was here already. */
function readingOf([item]: LogRecord['items']): Pick<RelayRow, 'what' | 'says'> {
  switch (item?.type) {
    case undefined:
      return { what: '', says: '' };
    case 'repeat':
      return { what: 'repeat', says: '' };
    case 'sealed':
      return { what: 'sealed', says: '' };
    case 'system':
      return { what: item.event, says: displayName(item.text) };
    case 'alarm':
      return { what: item.code, says: '' };
    case 'message':
      return { what: item.content.type, says: wordsOf(item.content) };
  }
}

function wordsOf(content: unknown): string {
  const known = knownContent(content);
  switch (known?.type) {
    case 'text':
    case 'reply':
    case 'edit':
      return known.text;
    case 'reaction':
      return known.emoji;
    case 'profile':
    case 'roomName':
      return displayName(known.name);
    case 'delete':
    case 'readMarker':
    case 'void':
    case 'again': // shown as what it holds
    case undefined:
      return '';
  }
}
