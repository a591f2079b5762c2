import type { CreatedInvite, MemberView, Outcome, RoomSettingsView, SafetyNumberView } from '@0fc/client/api';

import { SAFETY_NUMBER } from './fake-data';
import { done, failed, ok } from './fake-state';
import { FakeTalk } from './fake-talk';

const SECRET =
  'A5sGyOFEZU5aG5DCCusWgeF9OosUCBUNXSOy5uYpX3Q4lGnMvKCCAt2AX2ymh2z3dfxqgZgei9FH8QVoEkBrnH8uJuumJheexoOiq0GqydHl1';

/** Members, invites and what the owner does. */
export abstract class FakeOwner extends FakeTalk {
  async createInvite(_roomId: string, lifetimeMs: number): Promise<Outcome<CreatedInvite>> {
    await this.wait();
    const link = `https://rive.example/join#${SECRET.repeat(2)}`;
    return ok({ inviteId: 'i3', link, expires: Date.now() + lifetimeMs });
  }

  async revokeInvite(_roomId: string, inviteId: string): Promise<Outcome<void>> {
    await this.wait();
    this.pushRoom({ invites: this.room.invites.filter((invite) => invite.inviteId !== inviteId) });
    return done;
  }

  async decideJoin(_roomId: string, inviteId: string, admit: boolean): Promise<Outcome<void>> {
    this.calls.push(`decideJoin ${inviteId} ${String(admit)}`);
    await this.wait();
    this.pushRoom({ approvals: this.room.approvals.filter((approval) => approval.inviteId !== inviteId) });
    return done;
  }

  async rotateNow(): Promise<Outcome<void>> {
    await this.wait();
    const { key } = this.room;
    if (key === null) return failed('NO_ROOM_KEY');
    this.pushRoom({ key: { ...key, epoch: key.epoch + 1, messages: 0, since: Date.now() } });
    return done;
  }

  async renameMe(_roomId: string, name: string): Promise<Outcome<void>> {
    this.calls.push(`renameMe ${name}`);
    await this.wait();
    this.changeMember(this.room.me, { name });
    return done;
  }

  async renameRoom(roomId: string, name: string): Promise<Outcome<void>> {
    this.calls.push(`renameRoom ${name}`);
    await this.wait();
    if (!this.room.owner) return failed('NOT_OWNER');
    this.listRoom(roomId, { name });
    this.pushRoom({ name });
    return done;
  }

  async safetyNumber(_roomId: string, memberOrInvite: string): Promise<Outcome<SafetyNumberView>> {
    await this.wait();
    const mine = this.#member(this.room.me)?.fingerprint ?? '';
    const asking = this.room.approvals.find(({ inviteId }) => inviteId === memberOrInvite);
    const theirs = asking?.fingerprint ?? this.#member(memberOrInvite)?.fingerprint;
    if (theirs === undefined) return failed('MEMBER_UNKNOWN');
    return ok({
      digits: SAFETY_NUMBER,
      qr: `0fc-safety:1:${this.room.roomId}:${SAFETY_NUMBER}`,
      myFingerprint: mine,
      theirFingerprint: theirs,
    });
  }

  async setVerified(_roomId: string, memberId: string, verified: boolean): Promise<Outcome<void>> {
    this.calls.push(`setVerified ${memberId} ${String(verified)}`);
    await this.wait();
    if (this.#member(memberId) === undefined) return failed('MEMBER_UNKNOWN');
    this.changeMember(memberId, { verified });
    return done;
  }

  /** Asked for at once, done a while later. */
  async removeMember(_roomId: string, memberId: string): Promise<Outcome<void>> {
    this.calls.push(`removeMember ${memberId}`);
    await this.wait();
    if (!this.room.owner) return failed('NOT_OWNER');
    if (memberId === this.room.me) return failed('CANNOT_REMOVE_SELF');
    if (this.#member(memberId) === undefined) return failed('MEMBER_UNKNOWN');
    this.changeMember(memberId, { removing: true });
    setTimeout(
      () => this.pushRoom({ members: this.room.members.filter((one) => one.memberId !== memberId) }),
      this.pace * 8,
    );
    return done;
  }

  async leaveRoom(): Promise<Outcome<void>> {
    this.calls.push('leaveRoom');
    await this.wait();
    if (this.room.owner) return failed('OWNER_MUST_HAND_OVER');
    this.pushRoom({ leaving: true });
    return done;
  }

  async offerOwnership(_roomId: string, memberId: string): Promise<Outcome<void>> {
    this.calls.push(`offerOwnership ${memberId}`);
    await this.wait();
    const name = this.#member(memberId)?.name;
    if (!this.room.owner) return failed('NOT_OWNER');
    if (name === undefined) return failed('MEMBER_UNKNOWN');
    this.pushRoom({
      ownershipTransfer: { role: 'offering', memberId, name, since: Date.now(), accepted: false },
    });
    return done;
  }

  async endOwnershipOffer(): Promise<Outcome<void>> {
    this.calls.push('endOwnershipOffer');
    await this.wait();
    if (this.room.ownershipTransfer === null) return failed('NO_OFFER');
    this.pushRoom({ ownershipTransfer: null });
    return done;
  }

  async acceptOwnership(roomId: string): Promise<Outcome<void>> {
    this.calls.push('acceptOwnership');
    await this.wait();
    const offer = this.room.ownershipTransfer;
    if (offer?.role !== 'offered') return failed('NO_OFFER');
    this.pushRoom({ ownershipTransfer: { ...offer, accepted: true } });
    setTimeout(() => {
      this.listRoom(roomId, { owner: true });
      this.pushRoom({
        owner: true,
        ownershipTransfer: null,
        members: this.room.members.map((one) => ({ ...one, owner: one.memberId === this.room.me })),
      });
    }, this.pace * 8);
    return done;
  }

  async changeSettings(_roomId: string, changes: Partial<RoomSettingsView>): Promise<Outcome<void>> {
    this.calls.push(`changeSettings ${JSON.stringify(changes)}`);
    await this.wait();
    const { key } = this.room;
    if (!this.room.owner) return failed('NOT_OWNER');
    const settings = { ...this.room.settings, ...changes };
    this.pushRoom({
      settings,
      ...(key === null ? {} : { key: { ...key, rotateEvery: settings.rotateEvery } }),
    });
    return done;
  }

  async closeRoom(roomId: string): Promise<Outcome<void>> {
    this.calls.push('closeRoom');
    await this.wait();
    if (!this.room.owner) return failed('NOT_OWNER');
    this.pushRoom({ closing: true });
    setTimeout(() => {
      this.listRoom(roomId, { stage: 'closed' });
      this.pushRoom({ stage: 'closed', closing: false });
    }, this.pace * 8);
    return done;
  }

  async resumeRoom(roomId: string): Promise<Outcome<void>> {
    this.calls.push('resumeRoom');
    return this.#start(roomId);
  }

  async restoreRoom(roomId: string): Promise<Outcome<void>> {
    this.calls.push('restoreRoom');
    this.pushRoom({ paused: 'restore' });
    return this.#start(roomId);
  }

  async forgetRoom(roomId: string, unconfirmed = false): Promise<Outcome<void>> {
    this.calls.push('forgetRoom');
    await this.wait();
    const leaves = unconfirmed && this.room.leaving;
    if (this.room.stage === 'member' && this.room.stopped?.code !== 'ROOM_UNKNOWN' && !leaves) {
      return failed('STILL_MEMBER');
    }
    this.pushApp({ rooms: this.app.rooms.filter((room) => room.roomId !== roomId) });
    return done;
  }

  async #start(roomId: string): Promise<Outcome<void>> {
    await this.wait();
    this.listRoom(roomId, { stopped: null, connection: 'connected' });
    this.pushRoom({ stopped: null, connection: 'connected' });
    return done;
  }

  #member(memberId: string): MemberView | undefined {
    return this.room.members.find((one) => one.memberId === memberId);
  }
}
