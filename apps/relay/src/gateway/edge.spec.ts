import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { loadThemis } from '@0fc/crypto/node';
import type { SessionMessage } from '@0fc/protocol';
import { listensOnLoopback } from '../config/host-names.js';
import { HandshakeGate } from './handshake-gate.js';
import { AllowedHosts } from './hosts.js';
import { addressOf, isSecure, originRefusal, type OriginRefusal } from './origin.js';
import { Outbound } from './outbound.js';

const asked = (headers: Record<string, string>, remoteAddress = '192.0.2.1', url = '/'): IncomingMessage =>
  ({ headers, url, socket: { remoteAddress } }) as unknown as IncomingMessage;
const turn = () => new Promise((resolve) => setImmediate(resolve));

beforeAll(() => loadThemis());

describe('hosts', () => {
  const local = new AllowedHosts({ host: '127.0.0.1', publicHosts: [] });
  const behindProxy = new AllowedHosts({
    host: '::1',
    publicHosts: ['chat.example', 'xn--bcher-kva.example'],
  });
  const named = new AllowedHosts({
    host: '0.0.0.0',
    publicHosts: ['chat.example', '192.0.2.1', '[2001:db8::1]'],
  });
  const unnamed = new AllowedHosts({ host: '::', publicHosts: [] });

  const loopback = [
    'localhost',
    'LOCALHOST:5103',
    'relay.localhost',
    '127.0.0.1:1',
    '127.8.9.1',
    '[::1]:5103',
  ];
  const addresses = ['192.0.2.9', '192.0.2.9:5103', '[2001:db8::2]:80'];
  const foreign = [
    'evil.example', 'localhost.evil.example', 'notlocalhost', 'localhost.', '127.0.0.1.evil.example', 'chat.example.evil',
    'xchat.example', 'chat.example@evil.example', 'chat.example/', 'chat.example,evil.example', 'chat.example:x', '', ' ',
    'localhost localhost', 'localhost#', 'localhost\\x', '[::1', '::1', '%6cocalhost%', 'evil.example:5103',
  ]; // prettier-ignore

  const answered = (hosts: AllowedHosts, all: readonly string[]): string[] =>
    all.filter((host) => hosts.answer(asked({ host })));

  test('on loopback are its names and addresses, and those that the operator has named', () => {
    expect(answered(local, [...loopback, ...addresses, ...foreign, 'chat.example'])).toEqual(loopback);
    const names = ['chat.example', 'CHAT.example:8443', 'Bücher.example', 'xn--bcher-kva.example'];
    expect(answered(behindProxy, [...loopback, ...addresses, ...foreign, ...names])).toEqual([
      ...loopback,
      ...names,
    ]);
  });

  test('elsewhere are those that are named, and nothing else', () => {
    const names = ['chat.example', 'chat.example:5103', '192.0.2.1:5103', '[2001:DB8:0::1]'];
    expect(answered(named, [...loopback, ...addresses, ...foreign, ...names])).toEqual(names);
  });

  test('elsewhere, where none is named, are those that no name leads to', () => {
    expect(answered(unnamed, [...loopback, ...addresses, ...foreign, 'chat.example'])).toEqual([
      ...loopback,
      ...addresses,
    ]);
    expect([local, behindProxy, named, unnamed].map((hosts) => hosts.unnamed)).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });

  test('of a target in absolute form count as well', () => {
    const by = (url: string): boolean => local.answer(asked({ host: 'localhost' }, '127.0.0.1', url));
    for (const url of ['http://localhost/x', 'HTTP://user@localhost:80', '/http://evil.example/']) expect(by(url)).toBe(true);
    for (const url of ['http://evil.example/', 'https://localhost@evil.example/x', 'http://', 'HTTPS://a@b@localhost/']) expect(by(url)).toBe(false);
  }); // prettier-ignore

  test('of a probe may be any address, or none', () => {
    for (const hosts of [local, behindProxy, named, unnamed]) {
      for (const host of [...loopback, ...addresses]) expect(hosts.answerProbe(asked({ host }))).toBe(true);
      expect(hosts.answerProbe(asked({}))).toBe(true);
      expect(hosts.answer(asked({}))).toBe(false);
      for (const host of foreign) expect([host, hosts.answerProbe(asked({ host }))]).toEqual([host, false]);
    }
  });

  test.each([
    ['127.0.0.1', true], ['127.1.2.3', true], ['::1', true], ['localhost', true], ['0.0.0.0', false], ['::', false],
    ['192.0.2.1', false], ['2001:db8::1', false], ['chat.example', false], ['', false],
  ])('a server on %s is for its own machine alone: %s', (host, expected) => {
    expect(listensOnLoopback(host)).toBe(expected);
  }); // prettier-ignore
});

describe('origins and addresses', () => {
  const rules = { allowed: new Set(['https://web.example']), proxies: 1 };
  const https = { 'x-forwarded-proto': 'https' };
  test.each<[Record<string, string>, OriginRefusal | null]>([
    [{ host: 'chat.example' }, null],
    [{ ...https, host: 'chat.example', origin: 'https://chat.example' }, null],
    [{ ...https, host: 'chat.example:443', origin: 'https://chat.example' }, null],
    [{ ...https, host: 'CHAT.example:8443', origin: 'https://chat.example:8443' }, null],
    [{ 'x-forwarded-proto': 'wss', host: 'chat.example', origin: 'https://chat.example' }, null],
    [{ 'x-forwarded-proto': 'HTTPS, http', host: 'chat.example', origin: 'https://chat.example' }, null],
    [{ 'x-forwarded-proto': 'ws', host: 'chat.example', origin: 'https://chat.example' }, 'SCHEME'],
    [{ host: 'chat.example', origin: 'http://chat.example' }, null],
    [{ host: 'localhost:5103', origin: 'http://localhost:5103' }, null],
    [{ host: 'chat.example', origin: 'https://web.example' }, null],
    [{ ...https, host: 'chat.example', origin: 'http://chat.example' }, 'SCHEME'],
    [{ host: 'chat.example', origin: 'https://chat.example' }, 'SCHEME'],
    [{ host: 'chat.example', origin: 'http://web.example' }, 'ORIGIN'],
    [{ ...https, host: 'chat.example', origin: 'https://evil.example' }, 'ORIGIN'],
    [{ ...https, host: 'chat.example', origin: 'https://chat.example:444' }, 'ORIGIN'],
    [{ host: 'localhost:5103', origin: 'http://localhost:3000' }, 'ORIGIN'],
    [{ host: 'chat.example', origin: 'null' }, 'ORIGIN'],
    [{ origin: 'https://chat.example' }, 'ORIGIN'],
  ])('%j: %s', (headers, expected) => {
    expect(originRefusal(asked(headers), rules)).toBe(expected);
  });

  test('the proxy’s word on https is nobody’s where none is trusted', () => {
    const request = asked({ ...https, host: 'chat.example', origin: 'https://chat.example' });
    expect(originRefusal(request, { ...rules, proxies: 0 })).toBe('SCHEME');
  });

  test('a forwarded address counts only behind trusted proxies', () => {
    const request = asked({ 'x-forwarded-for': '198.51.100.9, 203.0.113.5' });
    expect(addressOf(request, 0)).toBe('192.0.2.1');
    expect(addressOf(request, 1)).toBe('203.0.113.5');
    expect(addressOf(request, 2)).toBe('198.51.100.9');
    expect(addressOf(asked({}, '::ffff:192.0.2.7'), 0)).toBe('192.0.2.7');
  });

  test('an IPv6 address stands for its network', () => {
    expect(addressOf(asked({}, '2001:db8:1:2:3:4:5:6'), 0)).toBe(addressOf(asked({}, '2001:db8:1:2::1'), 0));
    expect(addressOf(asked({}, '2001:db8:1:2::1'), 0)).not.toBe(addressOf(asked({}, '2001:db8:1:3::1'), 0));
  });

  test('an address is one whatever port the proxy names beside it', () => {
    const behind = (address: string): string => addressOf(asked({ 'x-forwarded-for': address }), 1);
    const port = fc.integer({ min: 1, max: 65_535 }).map(String);
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV6(), port, (four, six, at) => {
        for (const spelling of [
          `${four}:${at}`,
          `"${four}:${at}"`,
          `::ffff:${four}`,
          `[::ffff:${four}]:${at}`,
        ])
          expect(behind(spelling)).toBe(four);
        for (const spelling of [`[${six}]:${at}`, `[${six}]`, `"[${six}]:${at}"`])
          expect(behind(spelling)).toBe(behind(six));
      }),
    );
  });

  test('https is the proxy’s word only where it is trusted', () => {
    const request = asked({ 'x-forwarded-proto': 'https' });
    expect([isSecure(request, 0), isSecure(request, 1)]).toEqual([false, true]);
  });
});

describe('the handshake queue', () => {
  test('runs one a turn, in order, and turns away what is too much', async () => {
    const gate = new HandshakeGate({ most: 3, rest: 1 });
    const ran: number[] = [];
    const away: number[] = [];
    for (const n of [1, 2, 3, 4]) gate.enter('a', { proceed: () => ran.push(n), reject: () => away.push(n) });
    expect([ran, away]).toEqual([[], [4]]);
    while (gate.waiting > 0) await turn();
    expect(ran).toEqual([1, 2, 3]);
  });

  test('goes round by address, and makes room for who has fewer there', async () => {
    const gate = new HandshakeGate({ most: 6, rest: 1 });
    const ran: string[] = [];
    const away: string[] = [];
    const enter = (address: string, name: string): void =>
      gate.enter(address, { proceed: () => ran.push(name), reject: () => away.push(name) });
    for (const name of ['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7']) enter('a', name);
    for (const name of ['b1', 'b2']) enter('b', name);
    enter('c', 'c1');
    // b and c had less than a, whose last ones went for them.
    expect(away).toEqual(['a7', 'a6', 'a5', 'a4']);
    // As many as anybody has: it is its own that go.
    for (const name of ['b3', 'b4']) enter('b', name);
    expect(away.slice(4)).toEqual(['b3', 'b4']);
    while (gate.waiting > 0) await turn();
    expect(ran).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
  });

  test('rests between two for as long as lines are delivered, and else goes on at once', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance'] });
    try {
      const ran: number[] = [];
      const enter = (gate: HandshakeGate): void => {
        for (const n of [1, 2]) gate.enter('a', { proceed: () => ran.push(n), reject: () => undefined });
      };
      const turns = async (): Promise<void> => {
        for (let n = 0; n < 20; n++) await turn();
      };
      const quiet = new HandshakeGate({ most: 3, rest: 1e6 });
      enter(quiet);
      await turns();
      expect(ran.splice(0)).toEqual([1, 2]);
      const live = new HandshakeGate({ most: 3, rest: 1e6 });
      live.live();
      enter(live);
      await turns();
      expect(ran).toEqual([1]);
      jest.runAllTimers();
      expect(ran).toEqual([1, 2]);
    } finally {
      jest.useRealTimers();
    }
  });

  test('whatever comes, one that is alone at its address waits for no more than one of each other', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(4), { maxLength: 60 }), (addresses) => {
        const gate = new HandshakeGate({ most: 20, rest: 1 });
        const held: string[] = [];
        const enter = (address: string, name: string): void => {
          held.push(name);
          gate.enter(address, { proceed: () => undefined, reject: () => held.splice(held.indexOf(name), 1) });
        };
        addresses.forEach((address, n) => enter(`address ${String(address)}`, `of ${String(n)}`));
        enter('somebody', 'mine');
        expect(held).toContain('mine');
        expect(gate.waiting).toBe(held.length);
        expect(held.length).toBeLessThanOrEqual(20);
      }),
    );
  });
});

describe('the outbound queue', () => {
  const event = (size: number): SessionMessage => ({
    e: 'signalled',
    body: { payload: new Uint8Array(size) },
  });
  function queue(mostBytes = 1_000) {
    const state = { idle: true, sealed: [] as number[], sent: 0 };
    const overflow = jest.fn();
    const failed = jest.fn();
    const outbound = new Outbound({
      mostBytes,
      seal: (messages) => {
        state.sealed.push(messages.length);
        return new Uint8Array(1);
      },
      feedFrame: () => {
        throw new Error('no feed is followed');
      },
      send: () => {
        state.sent++;
      },
      idle: () => state.idle,
      overflow,
      failed,
    });
    return { outbound, state, overflow, failed };
  }

  test('wraps all that is due in a turn once', async () => {
    const { outbound, state } = queue();
    for (let n = 0; n < 5; n++) outbound.push(event(10));
    expect(state.sent).toBe(0);
    await turn();
    expect(state).toMatchObject({ sealed: [5], sent: 1 });
  });

  test('sends all that waits, in as many turns as it takes, on a wire that takes all and says nothing', async () => {
    const { outbound, state } = queue(8_388_608);
    const done = jest.fn();
    for (let n = 0; n < 60; n++) outbound.push(event(60_000));
    outbound.finish(done);
    for (let n = 0; n < 20; n++) await turn();
    expect([outbound.bytes, state.sealed.reduce((sum, count) => sum + count, 0)]).toEqual([0, 60]);
    expect(done).toHaveBeenCalledTimes(1);
  });

  test('wraps nothing that cannot go out, and says when it is too much', async () => {
    const { outbound, state, overflow } = queue();
    state.idle = false;
    outbound.push(event(800));
    await turn();
    expect(state.sealed).toEqual([]);
    outbound.push(event(800));
    expect(overflow).toHaveBeenCalledTimes(1);
    expect(state.sealed).toEqual([]);
    state.idle = true;
    outbound.drained();
    await turn();
    expect(state).toMatchObject({ sealed: [1], sent: 1 });
  });

  test('one large message may always wait, and much in one turn goes out first', () => {
    const { outbound, state, overflow } = queue();
    outbound.push(event(5_000));
    outbound.push(event(5_000));
    expect(overflow).not.toHaveBeenCalled();
    expect(state.sealed).toEqual([1]);
  });

  test('finishes once all is sent', async () => {
    const { outbound, state } = queue();
    const done = jest.fn();
    state.idle = false;
    outbound.push(event(10));
    outbound.finish(done);
    await turn();
    expect(done).not.toHaveBeenCalled();
    state.idle = true;
    outbound.drained();
    await turn();
    expect(done).toHaveBeenCalledTimes(1);
    expect(state.sent).toBe(1);
  });
});
