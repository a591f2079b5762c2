/** What a relay loses, or says it has lost, under the eyes of some of its members. */
import { value, type Member } from '../../support/member.js';
import { restarted } from '../acts.js';
import { World } from '../relay/world.js';
import { idOf, type Stage } from '../stage.js';

/** They go on at a store that was put back, as it was when the snapshot was taken. */
export function putBack(stage: Stage, all: readonly Member[], snapshot: string): void {
  stage.relay.place(all.map(idOf), { snapshot, hidden: false });
}

export const LOST = 'ALARM_RELAY_LOST';
export const showLoss = (stage: Stage, all: readonly Member[]): Promise<void> =>
  stage.byItself('the loss to be shown', all, () => all.every(({ alarms }) => alarms.includes(LOST)));

/**
 * `away`: whoever comes back after it; `before`: a copy of the store before any line; `late`: one from within the
 * current epoch
 */
export type Loss = (scene: {
  readonly stage: Stage;
  readonly all: readonly Member[];
  readonly away: Member;
  readonly roomId: string;
  readonly before: string;
  readonly late: string;
}) => Promise<void>;

/** One word to each; nothing is lost, and the next start of the relay's store sets it right. */
export const inOneWord: Loss = async ({ stage, all, away, roomId }) => {
  for (const who of all)
    stage.relay.tell(idOf(who), 'generation', { generation: Date.now(), from: { g: 1, s: 0 } });
  await showLoss(stage, all);
  for (const who of all) await who.say(roomId, `to nobody, ${who.name}`);
  await restarted(roomId, ...all);
  putBack(stage, [...all, away], stage.relay.world.snapshot());
};

export const ofAnOldCopy: Loss = async ({ stage, all, away, before }) => {
  putBack(stage, [...all, away], before);
  await showLoss(stage, all);
};

export const ofItsEpoch: Loss = async ({ stage, all, away, late }) => {
  putBack(stage, [...all, away], late);
  await showLoss(stage, all);
};

export const ofTheWholeRoom: Loss = async ({ stage, all, away, roomId }) => {
  const empty = World.empty();
  putBack(stage, [...all, away], empty.snapshot());
  await empty.close();
  await stage.byItself('the room to be unknown', all, () =>
    all.every(({ room }) => room?.stopped?.code === 'ROOM_UNKNOWN'),
  );
  const [one] = all;
  value(await one!.api.restoreRoom(roomId));
  await stage.byItself('the others to follow', all, () => all.every(({ room }) => room?.stopped === null));
  await showLoss(stage, all);
};
