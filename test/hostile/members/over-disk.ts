/** Members over a disk that may fail, and what a restart has to find again. */
import { expect } from '@jest/globals';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FailingDisk } from '../../support/failing-storage.js';
import { Member } from '../../support/member.js';
import { hurried, openOver, type OpenClient } from '../../support/platform.js';
import { epochOf, namesIn, type Company, type Stage } from '../stage.js';

/** More writes than any one thing takes that is asked of a member: a loop ends once the failing one was not reached. */
export const MOST_WRITES = 40;

/** What is tried again by itself is tried soon, as for all members of these tests. */
export const overDisk = (disk: FailingDisk): OpenClient =>
  openOver((platform) => hurried(5)(disk.over(platform)));

/** A device that has no vault yet; its folder is the member's own. */
export async function deviceOver(disk: FailingDisk, name: string, relayUrl: string): Promise<Member> {
  const folder = await mkdtemp(join(tmpdir(), '0fc-member-'));
  const member = Member.over(folder, { name, relayUrl, passphrase: `a long enough passphrase of ${name}` });
  member.open = overDisk(disk);
  await member.start();
  return member;
}

export interface Scene extends Omit<Company, 'ines'> {
  /** of whom it happens to: the owner's or Tomás's */
  readonly disk: FailingDisk;
  readonly victim: Member;
}

/** A room of two, one of whom is over a disk that may fail. */
export async function sceneOn(stage: Stage, who: 'owner' | 'member'): Promise<Scene> {
  const disk = new FailingDisk();
  const { owner, tomas, roomId } = await stage.two();
  const victim = who === 'owner' ? owner : tomas;
  await victim.leave();
  victim.open = overDisk(disk);
  await victim.comeBack(roomId);
  await victim.live();
  await stage.level([owner, tomas]);
  return { owner, tomas, roomId, disk, victim };
}

/** Everything that a member is shown of a room, but for what only a session knows. */
const shownTo = (who: Member): unknown => ({
  items: who.items,
  names: namesIn(who),
  epoch: epochOf(who),
  stage: who.room?.stage,
  invites: who.room?.invites,
  summary: who.app?.rooms.map(({ roomId, name, unread, alarms }) => ({ roomId, name, unread, alarms })),
});

/** A restart finds what was shown before it. */
export async function sameOverRestart(who: Member, roomId: string): Promise<void> {
  const before = shownTo(who);
  await who.leave();
  await who.comeBack(roomId);
  await who.live();
  expect(shownTo(who)).toEqual(before);
}
