/**
 * Judges what the members of one room show (G5, G6, G10, G16), however they were driven: one
 * total order, each message once, nothing lost in anybody's own part, nothing before or after
 * it, nothing that nobody sent, no alarm that was not to come.
 *
 * The order is not taken from the relay. Each member's list says what comes before what; what
 * all lists say together must be free of contradiction, and is then the order of the room. A
 * member's part begins at its floor (the last rotation before its admission, or the room's
 * creation) and ends at its removal or its own request to leave.
 */

/** A line as a member shows it, in its order. */
export type Shown =
  | { readonly type: 'message'; readonly id: string; readonly sender: string; readonly text: string }
  /** what the room agreed on; `member` is whom it concerns */
  | { readonly type: 'created' }
  | { readonly type: 'rotated'; readonly epoch: number }
  | { readonly type: 'admitted' | 'removed' | 'leaving' | 'left'; readonly member: string };

export interface History {
  readonly member: string;
  readonly shown: readonly Shown[];
  readonly alarms: readonly string[];
  /** codes that are to be shown, each at least once; all others are violations */
  readonly expectedAlarms?: readonly string[];
  /** ids of messages that this member's client shows as missed, with reason: it need not have them */
  readonly missed?: ReadonlySet<string>;
}

export interface Sent {
  readonly id: string;
  readonly sender: string;
  /** as it reads in the end */
  readonly text: string;
  /** its sender's client has shown it as held by the log */
  readonly acknowledged: boolean;
}

export interface Room {
  readonly histories: readonly History[];
  readonly sent: readonly Sent[];
  /** ids of messages that a store has lost: sent again, they may stand elsewhere (section 6) */
  readonly displaced?: ReadonlySet<string>;
}

export interface Violation {
  readonly kind:
    'ORDER' | 'TWICE' | 'LOST' | 'INVENTED' | 'CHANGED' | 'BEFORE_FLOOR' | 'AFTER_END' | 'ALARM' | 'NO_ALARM';
  readonly member: string;
  readonly what: string;
}

const keyOf = (shown: Shown): string => {
  switch (shown.type) {
    case 'message':
      return `message ${shown.id}`;
    case 'created':
      return 'created';
    case 'rotated':
      return `rotated ${String(shown.epoch)}`;
    case 'admitted':
    case 'removed':
    case 'leaving':
    case 'left':
      return `${shown.type} ${shown.member}`;
  }
};

/** Every violation, of all kinds; an empty list is a sound room. */
export function check(room: Room): readonly Violation[] {
  const names = new Map(room.sent.map(({ id, sender, text }) => [id, `“${text}” of ${sender}`]));
  const tell = (key: string): string => {
    const id = /^message (.*)$/s.exec(key)?.[1];
    return id === undefined ? key : (names.get(id) ?? `message ${id}`);
  };
  const order = orderOf(room);
  return [
    ...contradictions(room, order, tell),
    ...room.histories.flatMap((history) => [
      ...twice(history, tell),
      ...foreign(history, room.sent),
      ...part(history, room, order, tell),
      ...alarms(history),
    ]),
    ...lostByAll(room),
  ];
}

/** Throws with every violation in words, for a test. */
export function expectSound(room: Room): void {
  const found = check(room);
  if (found.length === 0) return;
  const words = found.slice(0, 40).map(({ kind, member, what }) => `  ${kind} ${member}: ${what}`);
  throw new Error(`${String(found.length)} violations\n${words.join('\n')}`);
}

const displaced = (room: Room, shown: Shown): boolean =>
  shown.type === 'message' && room.displaced?.has(shown.id) === true;

/** Keys of a list, first showing only, without what may stand elsewhere. */
function sequence(room: Room, { shown }: History): readonly string[] {
  return [...new Set(shown.filter((line) => !displaced(room, line)).map(keyOf))];
}

interface Order {
  /** all that comes after a key, in any list or by way of several */
  after(key: string): ReadonlySet<string>;
  /** all that comes before it */
  before(key: string): ReadonlySet<string>;
}

function orderOf(room: Room): Order {
  const next = new Map<string, Set<string>>();
  const previous = new Map<string, Set<string>>();
  const link = (links: Map<string, Set<string>>, from: string, to: string): void => {
    const known = links.get(from);
    if (known === undefined) links.set(from, new Set([to]));
    else known.add(to);
  };
  for (const history of room.histories) {
    const keys = sequence(room, history);
    for (const [at, key] of keys.entries()) {
      const before = keys[at - 1];
      if (before === undefined) continue;
      link(next, before, key);
      link(previous, key, before);
    }
  }
  const reach = (links: Map<string, Set<string>>): ((key: string) => ReadonlySet<string>) => {
    const known = new Map<string, ReadonlySet<string>>();
    return (key) => {
      const found = known.get(key);
      if (found !== undefined) return found;
      const seen = new Set<string>();
      const open = [key];
      for (let at = open.pop(); at !== undefined; at = open.pop()) {
        for (const to of links.get(at) ?? []) {
          if (seen.has(to)) continue;
          seen.add(to);
          open.push(to);
        }
      }
      known.set(key, seen);
      return seen;
    };
  };
  return { after: reach(next), before: reach(previous) };
}

/** One total order: no two members show two lines in opposite orders. */
function contradictions(room: Room, order: Order, tell: (key: string) => string): readonly Violation[] {
  const pairs = contradictingPairs(room, tell);
  if (pairs.length > 0) return pairs;
  const keys = new Set(room.histories.flatMap((history) => sequence(room, history)));
  const circle = [...keys].filter((key) => order.after(key).has(key));
  if (circle.length === 0) return [];
  const what = `no order agrees with all lists about ${circle.slice(0, 5).map(tell).join(', ')}`;
  return [{ kind: 'ORDER', member: 'everybody', what }];
}

function contradictingPairs(room: Room, tell: (key: string) => string): readonly Violation[] {
  const lists = room.histories.map((history) => ({ history, keys: sequence(room, history) }));
  return lists.flatMap(({ history, keys }, index) =>
    lists.slice(index + 1).flatMap((other): readonly Violation[] => {
      const places = new Map(keys.map((key, at) => [key, at]));
      const common = other.keys.filter((key) => places.has(key));
      const at = common.findIndex((key, place) => {
        const before = common[place - 1];
        return before !== undefined && (places.get(before) ?? 0) > (places.get(key) ?? 0);
      });
      const [first, second] = [common[at - 1], common[at]];
      if (at < 0 || first === undefined || second === undefined) return [];
      const what = `${tell(second)} before ${tell(first)}, ${other.history.member} the other way round`;
      return [{ kind: 'ORDER', member: history.member, what }];
    }),
  );
}

function twice({ member, shown }: History, tell: (key: string) => string): readonly Violation[] {
  const counts = new Map<string, number>();
  for (const line of shown) counts.set(keyOf(line), (counts.get(keyOf(line)) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count > 1)
    .map(([key, count]) => ({ kind: 'TWICE', member, what: `${tell(key)}, ${String(count)} times` }));
}

/** What nobody sent, or somebody sent otherwise (G3). */
function foreign({ member, shown }: History, sent: readonly Sent[]): readonly Violation[] {
  const known = new Map(sent.map((message) => [message.id, message]));
  return shown.flatMap((line): readonly Violation[] => {
    if (line.type !== 'message') return [];
    const said = `“${line.text}” of ${line.sender}`;
    const original = known.get(line.id);
    if (original === undefined) return [{ kind: 'INVENTED', member, what: `${said} (${line.id})` }];
    if (original.text === line.text && original.sender === line.sender) return [];
    return [{ kind: 'CHANGED', member, what: `${said}, sent as “${original.text}” of ${original.sender}` }];
  });
}

/** The mark at which the part of a member begins; null: with the room. */
function floorOf(member: string, order: Order): string | null {
  const earlier = order.before(`admitted ${member}`);
  const rotations = [...earlier].filter((key) => key.startsWith('rotated '));
  const epochs = rotations.map((key) => Number(key.slice('rotated '.length)));
  return epochs.length === 0 ? null : `rotated ${String(Math.max(...epochs))}`;
}

/** What a member must show, and must not: its own part of the room's one order. */
function part(
  history: History,
  room: Room,
  order: Order,
  tell: (key: string) => string,
): readonly Violation[] {
  const { member } = history;
  const keys = sequence(room, history);
  const shown = new Set(history.shown.map(keyOf));
  const excused = new Set([...(history.missed ?? [])].map((id) => `message ${id}`));
  const floor = floorOf(member, order);
  const ends = [`removed ${member}`, `leaving ${member}`];
  const everything = new Set(room.histories.flatMap((other) => sequence(room, other)));
  const end = ends.find((key) => everything.has(key)) ?? null;
  const messages = [...everything].filter((key) => key.startsWith('message '));
  const last = keys.at(-1);
  const lost = messages.filter((key) => {
    if (shown.has(key) || excused.has(key) || (floor !== null && !order.after(floor).has(key))) return false;
    // Who has gone was served nothing more from some moment on: up to there, all of it.
    if (end !== null) return last !== undefined && order.before(last).has(key) && !order.after(end).has(key);
    return true;
  });
  const moved = [...(room.displaced ?? [])].map((id) => `message ${id}`);
  const missing = end === null && floor === null ? moved.filter((key) => !shown.has(key)) : [];
  const early = floor === null ? [] : keys.filter((key) => isMessage(key) && order.before(floor).has(key));
  const late = end === null ? [] : keys.filter((key) => isMessage(key) && order.after(end).has(key));
  const said = (kind: Violation['kind'], found: readonly string[]): readonly Violation[] =>
    found.map((key) => ({ kind, member, what: tell(key) }));
  return [...said('LOST', [...lost, ...missing]), ...said('BEFORE_FLOOR', early), ...said('AFTER_END', late)];
}

const isMessage = (key: string): boolean => key.startsWith('message ');

function alarms({ member, alarms: shown, expectedAlarms = [] }: History): readonly Violation[] {
  const unexpected = shown.filter((code) => !expectedAlarms.includes(code));
  const absent = expectedAlarms.filter((code) => !shown.includes(code));
  return [
    ...unexpected.map((code): Violation => ({ kind: 'ALARM', member, what: code })),
    ...absent.map((code): Violation => ({ kind: 'NO_ALARM', member, what: code })),
  ];
}

/** Acknowledged, and nowhere: not even its sender shows it. */
function lostByAll({ histories, sent }: Room): readonly Violation[] {
  const shown = new Set(histories.flatMap((history) => history.shown.map(keyOf)));
  return sent
    .filter(({ id, acknowledged }) => acknowledged && !shown.has(`message ${id}`))
    .map(({ sender, text }) => ({ kind: 'LOST', member: 'everybody', what: `“${text}” of ${sender}` }));
}
