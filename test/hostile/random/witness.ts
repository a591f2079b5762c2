/** What the pages of a room's people have shown and when, and who wrote what: what an oracle measures a relay's record by. */
import type { ClientEvent, TimelineMessage } from '@0fc/client/api';
import type { MemberId } from '@0fc/protocol';
import type { Member } from '../../support/member.js';
import { idOf } from '../stage.js';
import type { Facts, Written } from './oracle.js';

/** Shown of a line that the log holds, or has lost. */
const SETTLED: readonly TimelineMessage['state'][] = ['relayed', 'read', 'lost'];

interface Page {
  /** by member, when it was first shown, Unix ms */
  readonly noticed: Map<string, number>;
}

export class Witness implements Facts {
  readonly written = new Map<string, Written>();
  readonly settled = new Map<string, number>();
  readonly #pages = new Map<string, Page>();
  readonly #texts = new Map<string, string>();

  watch(who: Member): void {
    who.alsoTold = (event) => this.#told(event);
    if (who.room !== null) this.#told({ type: 'room', room: who.room });
  }

  noticed(by: MemberId, member: MemberId): number | undefined {
    return this.#pages.get(by)?.noticed.get(member);
  }

  #told(event: ClientEvent): void {
    if (event.type === 'room') {
      const { me, members } = event.room;
      const page = this.#pages.get(me) ?? { noticed: new Map<string, number>() };
      this.#pages.set(me, page);
      for (const { memberId } of members)
        if (!page.noticed.has(memberId)) page.noticed.set(memberId, Date.now());
    } else if (event.type === 'timeline') {
      for (const item of event.items) {
        if (
          item.type === 'message' &&
          item.mine &&
          SETTLED.includes(item.state) &&
          !this.settled.has(item.id)
        )
          this.settled.set(item.id, Date.now());
      }
    }
  }

  /** Somebody is about to write this. */
  writes(who: Member, text: string): void {
    const here = new Map(who.room?.members.map((member) => [member.memberId, member.removing]) ?? []);
    const noticed = this.#pages.get(idOf(who))?.noticed.keys() ?? [];
    const gone = [...noticed].filter((id) => here.get(id) !== false) as MemberId[];
    this.written.set(text, { writer: idOf(who), time: Date.now(), gone: new Set(gone), confirmed: false });
  }

  /** It has this id; an edit has none. */
  named(id: string, text: string): void {
    this.#texts.set(id, text);
  }

  /** Its writer has sent it to everybody of today. */
  confirms(who: Member, id: string): void {
    const text = this.#texts.get(id);
    for (const [other, written] of this.written) {
      const edit = ![...this.#texts.values()].includes(other);
      if (written.writer === idOf(who) && (text === undefined ? edit : other === text))
        written.confirmed = true;
    }
  }
}
