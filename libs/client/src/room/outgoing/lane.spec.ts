/** What follows from a reply and from each refusal, over a clock that is moved and a link that answers as it is asked. */
import { describe, expect, test } from '@jest/globals';
import { ERROR_CODES, type ErrorCode, type InviteId } from '@0fc/protocol';
import type { Failure } from '../../contract/api.js';
import { ClientError } from '../../contract/errors.js';
import { FakeClock, fakePlatform } from './part.spec-support.js';
import { sendOnce, type Due, type RequestPort, type RefusalOutcome, type Later } from './part.js';
import { Lane, Outgoing, type Sender } from './lane.js';
import { verdictOn } from './refusals.js';

const CODES = Object.values(ERROR_CODES) as readonly ErrorCode[];
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** A sender over a link that refuses with what stands first in `refusals`, and then answers. */
class Desk implements Sender {
  live = true;
  readonly clock = new FakeClock(1_000_000);
  readonly platform = fakePlatform(this.clock);
  readonly refusals: ClientError[] = [];
  /** when each request was made */
  readonly sent: number[] = [];
  readonly halted: Failure[] = [];
  catchUps = 0;
  readonly connection: RequestPort = {
    request: (() => {
      this.sent.push(this.clock.now());
      const refusal = this.refusals.shift();
      return refusal === undefined ? Promise.resolve({}) : Promise.reject(refusal);
    }) as RequestPort['request'],
  };
  changed(): void {
    // Nobody looks.
  }
  catchUp(): void {
    this.catchUps += 1;
  }
  halt(failure: Failure): void {
    this.halted.push(failure);
    this.live = false;
  }
}

/** One thing that is due until it is done, or settled. */
function once(meaning: RefusalOutcome = 'unexpected') {
  const part = {
    left: 1,
    asked: 0,
    next: (): Promise<Due | null> => {
      part.asked += 1;
      const over = (): void => {
        part.left = 0;
      };
      if (part.left === 0) return Promise.resolve(null);
      const refused = (): RefusalOutcome => {
        if (meaning === 'settled') over();
        return meaning;
      };
      return Promise.resolve({ kind: 'prekeys', body: {}, done: over, refused });
    },
  };
  return part;
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};
const codesThat = (verdict: string): readonly ErrorCode[] =>
  CODES.filter((code) => verdictOn(code) === verdict);

describe('a lane', () => {
  test('of a part that must sign nothing asks it for nothing, until it may again', async () => {
    const desk = new Desk();
    const [muted, other] = [once(), once()];
    let mute = true;
    const sender: Sender = Object.assign(desk, { mutes: (part: unknown) => mute && part === muted });
    const outgoing = new Outgoing(sender, [muted, other]);
    outgoing.signal();
    await turns();
    expect([muted.asked, other.left]).toEqual([0, 0]);
    mute = false;
    outgoing.signal();
    await turns();
    expect(muted.left).toBe(0);
  });

  test.each([...codesThat('retry'), ...codesThat('reread')])(
    'repeats what is refused with %s for days, within a minute each time, and says what it waits for',
    async (code) => {
      const desk = new Desk();
      const part = once();
      const lane = new Lane(desk, part);
      desk.refusals.push(...Array.from({ length: 5_000 }, () => new ClientError(code)));
      await lane.signal();
      expect(lane.waiting).toBe(code);
      for (let waited = 0; part.left > 0 && waited < 5 * DAY_MS; waited += MINUTE_MS) {
        // Whoever asks meanwhile hurries nothing.
        await lane.signal();
        desk.clock.advance(MINUTE_MS);
        await turns();
      }
      expect(part.left).toBe(0);
      expect(lane.waiting).toBeNull();
      expect(desk.halted).toEqual([]);
      expect(desk.catchUps).toBe(verdictOn(code) === 'reread' ? 5_000 : 0);
      const gaps = desk.sent.slice(1).map((at, index) => at - (desk.sent[index] ?? 0));
      expect(Math.max(...gaps)).toBeLessThanOrEqual(MINUTE_MS);
    },
  );

  test.each([['the request itself'], ['what comes before the request']] as const)(
    'asks less and less often while %s is refused for ever, whatever else is answered in between',
    async (what) => {
      const desk = new Desk();
      const refused = (): RefusalOutcome => 'again';
      const refusing: Due = {
        kind: 'joinRequest',
        body: { inviteId: '' as InviteId, request: new Uint8Array(1) },
        refused,
      };
      let turn = 0;
      const next = (): Promise<Due | null> => {
        turn += 1;
        if (turn % 2 === 1) return Promise.resolve({ kind: 'prekeys', body: {} });
        if (what === 'the request itself') {
          desk.refusals.push(new ClientError('ROOM_UNKNOWN'));
          return Promise.resolve(refusing);
        }
        return Promise.reject(new ClientError('STALE_HEAD'));
      };
      await new Lane(desk, { next }).signal();
      for (let waited = 0; waited < 3_600_000; waited += 100) {
        desk.clock.advance(100);
        await turns();
      }
      // Delays of up to a minute with full jitter: two requests each.
      expect(desk.sent.length).toBeGreaterThan(20);
      expect(desk.sent.length).toBeLessThan(2 * (3_600 / 15));
      expect(desk.halted).toEqual([]);
    },
  );

  test('waits at least as long as the relay asks for', async () => {
    const desk = new Desk();
    const lane = new Lane(desk, once());
    desk.refusals.push(new ClientError('RATE_LIMITED', { retryMs: 90_000 }));
    await lane.signal();
    desk.clock.advance(89_999);
    await turns();
    expect(desk.sent).toHaveLength(1);
    desk.clock.advance(1);
    await turns();
    expect(desk.sent).toHaveLength(2);
  });

  test('leaves what a lost connection took to the next session', async () => {
    const desk = new Desk();
    const part = once();
    const lane = new Lane(desk, part);
    desk.refusals.push(new ClientError('OFFLINE'));
    await lane.signal();
    desk.clock.advance(DAY_MS);
    await turns();
    expect(desk.sent).toHaveLength(1);
    lane.reset();
    await lane.signal();
    expect(part.left).toBe(0);
  });

  test.each(codesThat('refused'))(
    'asks the part what %s means, and stops with it where it does not know',
    async (code) => {
      for (const meaning of ['settled', 'again', 'unexpected'] as const) {
        const desk = new Desk();
        const part = once(meaning);
        const lane = new Lane(desk, part);
        desk.refusals.push(new ClientError(code));
        await lane.signal();
        expect(desk.halted).toEqual(meaning === 'unexpected' ? [{ code }] : []);
        expect(part.left).toBe(meaning === 'settled' ? 0 : 1);
        desk.clock.advance(MINUTE_MS);
        await turns();
        expect(part.left).toBe(meaning === 'unexpected' ? 1 : 0);
        expect(lane.waiting).toBeNull();
      }
    },
  );

  test('sends nothing once nothing may be sent, however far the part was', async () => {
    const desk = new Desk();
    const part = once();
    const { next } = part;
    part.next = () => {
      desk.live = false;
      return next();
    };
    await new Lane(desk, part).signal();
    expect([desk.sent, part.left]).toEqual([[], 1]);
  });

  test('asks again when a part says that something will be due', async () => {
    const desk = new Desk();
    let due = 0;
    const next = (): Promise<Later | null> => {
      due += 1;
      return Promise.resolve(due === 1 ? { afterMs: 30 * DAY_MS } : null);
    };
    await new Lane(desk, { next }).signal();
    desk.clock.advance(DAY_MS - 1);
    await turns();
    expect(due).toBe(1);
    // No timer runs for longer than 24 days: it looks once a day.
    desk.clock.advance(1);
    await turns();
    expect(due).toBe(2);
  });

  test('that waits holds no other up', async () => {
    const desk = new Desk();
    const [first, second] = [once(), once()];
    const outgoing = new Outgoing(desk, [first, second]);
    desk.refusals.push(new ClientError('STORE_FULL'));
    await outgoing.attempt(first);
    await outgoing.attempt(second);
    expect([first.left, second.left, outgoing.waiting]).toEqual([1, 0, 'STORE_FULL']);
  });
});

describe('what goes once', () => {
  const answering = (refusal: Error): RequestPort => ({
    request: () => Promise.reject(refusal),
  });
  const signal: Due = { kind: 'ack', body: { position: { g: 1, s: 1 } } };

  test.each(CODES.filter((code) => code !== 'RELAY_LIED'))(
    'is dropped where it is refused with %s',
    async (code) => {
      expect(await sendOnce(answering(new ClientError(code)), signal)).toBe(false);
    },
  );

  test('never hides that the relay contradicts itself, or a defect of this client', async () => {
    await expect(sendOnce(answering(new ClientError('RELAY_LIED')), signal)).rejects.toThrow('RELAY_LIED');
    await expect(sendOnce(answering(new TypeError('a defect')), signal)).rejects.toThrow('a defect');
  });
});
