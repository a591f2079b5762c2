/** THE table is complete and consistent (docs/protocol.md sections 3 to 8). */
import { describe, expect, it } from '@jest/globals';
import {
  ALARM_CODES, CATALOGUE, COMMON_ERRORS, ERROR_CODES, EVENT_KINDS, eventRow, REQUEST_KINDS, requestRow, ROLES,
} from './index.js'; // prettier-ignore

const rows = Object.entries(CATALOGUE);

describe('the catalogue', () => {
  it('has a row for each step that the protocol names', () => {
    const requests = [
      'create', 'open', 'append', 'ack', 'prekey', 'prekeys', 'needKey', 'keyGrant', 'signal', 'leaveRequest', 'transferOffer',
      'transferAcceptance', 'invite', 'revoke', 'claim', 'joinRequest', 'joinReply', 'joinConfirm', 'joinDrop', 'roster',
      'rotate', 'restore', 'chain',
    ]; // prettier-ignore
    for (const kind of requests) expect(REQUEST_KINDS).toContain(kind);
    expect(REQUEST_KINDS.length + EVENT_KINDS.length).toBe(rows.length);
  });

  it('finds rows by the names that come over the wire, and no others', () => {
    for (const kind of REQUEST_KINDS) expect(requestRow(kind)).toBe(CATALOGUE[kind]);
    for (const kind of EVENT_KINDS) expect(eventRow(kind)).toBe(CATALOGUE[kind]);
    for (const kind of ['', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'OPEN']) {
      expect(requestRow(kind)).toBeNull();
      expect(eventRow(kind)).toBeNull();
    }
    expect(requestRow('entries')).toBeNull();
    expect(eventRow('append')).toBeNull();
  });

  it.each(rows)('%s says who, what and why', (_kind, row) => {
    expect(row.about.length).toBeGreaterThan(10);
    const roles = row.direction === 'request' ? row.from : row.to;
    expect(roles.length).toBeGreaterThan(0);
    expect(new Set(roles).size).toBe(roles.length);
    for (const role of roles) expect(ROLES).toContain(role);
    if (row.direction === 'request') {
      for (const code of row.errors) {
        expect(Object.keys(ERROR_CODES)).toContain(code);
        expect(COMMON_ERRORS).not.toContain(code);
      }
    }
  });

  it('gives the owner’s commands to nobody else (G11)', () => {
    for (const kind of [
      'invite',
      'revoke',
      'joinReply',
      'joinDrop',
      'roster',
      'rotate',
      'prekeys',
      'transferOffer',
    ] as const) {
      expect(CATALOGUE[kind].from).toEqual(['owner']);
    }
    expect(CATALOGUE.leaveRequest.from).toEqual(['member']);
  });

  it('lets strangers and joiners do nothing in a room but ask to get in', () => {
    const open = REQUEST_KINDS.filter((kind) =>
      CATALOGUE[kind].from.some((role) => role === 'stranger' || role === 'joiner'),
    );
    expect(open.sort()).toEqual(['chain', 'claim', 'create', 'joinConfirm', 'joinRequest', 'restore']);
  });
});

describe('codes', () => {
  it('are their own names, and no alarm is an error', () => {
    for (const [key, code] of [...Object.entries(ERROR_CODES), ...Object.entries(ALARM_CODES)])
      expect(code).toBe(key);
    expect(Object.keys(ERROR_CODES).filter((code) => code in ALARM_CODES)).toEqual([]);
  });
});
