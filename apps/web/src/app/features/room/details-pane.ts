import { Component, inject, input } from '@angular/core';
import { RouterLink } from '@angular/router';
import type { RoomView } from '@0fc/client/api';

import { AppStore } from '../../core/app-store';
import { Format } from '../../core/format';
import { I18n } from '../../core/i18n';
import { Avatar } from '../../ui/avatar';
import { Fingerprint } from '../../ui/fingerprint';
import { Icon } from '../../ui/icon';

/** Beside a room on wide screens: its key, its members, the relay. */
@Component({
  selector: 'zfc-details-pane',
  imports: [Avatar, Fingerprint, Icon, RouterLink],
  host: { class: 'contents' },
  template: `
    <aside class="pane pane--details" [attr.aria-label]="t('room.details')">
      @if (room().key; as key) {
        <section class="stack stack--3">
          <div class="panel-head">
            <h2 class="title-section">{{ t('room.roomKey') }}</h2>
            <span class="chip chip--accent">{{ t('room.key', { epoch: key.epoch }) }}</span>
          </div>
          <progress
            class="bar"
            [value]="key.messages"
            [max]="key.rotateEvery"
            [attr.aria-label]="t('room.roomKey')"
          ></progress>
          <p class="quiet num">
            {{
              t('room.keyCount', {
                messages: key.messages,
                every: key.rotateEvery,
                time: format.moment(key.since),
              })
            }}
          </p>
        </section>
      }
      <section class="stack stack--2">
        <div class="panel-head">
          <h2 class="title-section">{{ i18n.count('room.members', room().members.length) }}</h2>
          <a class="btn btn--flush" [routerLink]="['/room', room().roomId, 'members']">{{
            t(room().owner ? 'room.manage' : 'room.see')
          }}</a>
        </div>
        <ul>
          @for (member of room().members; track member.memberId) {
            <li class="member-line">
              <zfc-avatar [name]="member.name" [identity]="member.fingerprint" [here]="member.online" />
              <span class="member-line__name">
                <bdi>{{ member.name || t('members.nameless') }}</bdi>&ngsp;
                @if (member.verified) {
                  <span class="verified" role="img" [attr.aria-label]="t('common.verified')"
                    ><zfc-icon name="verified" [small]="true"
                  /></span>
                }
                @if (member.confusable || member.name === '') {
                  <zfc-fingerprint class="nowrap" [value]="member.fingerprint" [small]="true" />
                }
                @if (member.online && !member.me) {
                  <span class="sr-only">{{ t('room.isHere') }}</span>
                }
              </span>
              @if (member.owner) {
                <span class="chip">{{ t(member.me ? 'room.youOwner' : 'room.owner') }}</span>
              } @else if (member.me) {
                <span class="chip">{{ t('room.you') }}</span>
              }
            </li>
          }
        </ul>
      </section>
      @if (store.app()?.relay; as relay) {
        <section class="stack stack--2">
          <h2 class="title-section">{{ t('room.relayTitle') }}</h2>
          <dl class="facts">
            <div>
              <dt><zfc-icon name="relay" />{{ t('common.' + room().connection) }}</dt>
              @if (relay.fingerprint; as fingerprint) {
                <dd><zfc-fingerprint class="nowrap" [value]="fingerprint" [small]="true" /></dd>
              }
              @if (relay.pinnedBy; as pin) {
                <dd>{{ t('room.relayPin.' + pin) }}</dd>
              }
            </div>
          </dl>
        </section>
      }
      <a class="linkrow" [routerLink]="['/room', room().roomId, 'relay']"
        ><zfc-icon name="eye" />{{ t('room.relaySees') }}<zfc-icon name="forward"
      /></a>
    </aside>
  `,
})
export class DetailsPane {
  protected readonly store = inject(AppStore);
  protected readonly format = inject(Format);
  protected readonly i18n = inject(I18n);
  protected readonly t = this.i18n.t;
  readonly room = input.required<RoomView>();
}
