import { Component, inject, input } from '@angular/core';
import type { InvitePreview } from '@0fc/client/api';

import type { Format } from '../../core/format';
import { I18n } from '../../core/i18n';
import { Fingerprint } from '../../ui/fingerprint';
import { Icon } from '../../ui/icon';
import { SafetyNumber } from '../../ui/safety-number';

/** Of an invite, as text. */
export interface Facts {
  readonly owner: string;
  readonly relay: string;
  readonly until: string;
}

const FINGERPRINT = /^[0-9A-F]{16}$/;

/** Null where any of it cannot be shown: nobody is to answer for what is not there to be read. */
export function factsOf(
  {
    ownerFingerprint: owner,
    relayFingerprint: relay,
    expires,
  }: Pick<InvitePreview, 'ownerFingerprint' | 'relayFingerprint' | 'expires'>,
  format: Pick<Format, 'moment'>,
): Facts | null {
  if (!FINGERPRINT.test(owner) || !FINGERPRINT.test(relay) || !Number.isSafeInteger(expires)) return null;
  const until = format.moment(expires);
  return until === '' ? null : { owner, relay, until };
}

/** Who invites, through which relay, until when: all that can be known before the admission. */
@Component({
  selector: 'zfc-join-facts',
  imports: [Fingerprint, Icon, SafetyNumber],
  host: { class: 'contents' },
  template: `
    <dl class="facts">
      <div>
        <dt><zfc-icon name="key" />{{ t('join.who') }}</dt>
        <dd class="fp"><zfc-fingerprint [value]="owner()" /></dd>
        <dd>{{ t('join.whoHint') }}</dd>
      </div>
      <div>
        <dt><zfc-icon name="relay" />{{ t('join.relayKey') }}</dt>
        <dd class="fp"><zfc-fingerprint [value]="relay()" /></dd>
        @switch (pin()) {
          @case ('matches') {
            <dd>
              <span class="mark mark--ok"
                ><zfc-icon name="check" [small]="true" />{{ t('join.relayMatches') }}</span
              >
            </dd>
          }
          @case ('new') {
            <dd>{{ t('join.relayNew') }}</dd>
          }
        }
      </div>
      <div>
        <dt><zfc-icon name="clock" />{{ t('join.invite') }}</dt>
        <dd>{{ t('join.until', { time: until() }) }}</dd>
      </div>
      @if (mine(); as mine) {
        <div>
          <dt><zfc-icon name="people" />{{ t('join.mine') }}</dt>
          <dd class="fp"><zfc-fingerprint [value]="mine" /></dd>
          <dd>{{ t('join.mineHint') }}</dd>
        </div>
      }
      @if (number(); as number) {
        <div>
          <dt><zfc-icon name="verified" />{{ t('join.number') }}</dt>
          <dd><zfc-safety-number [digits]="number" [small]="true" /></dd>
          <dd>{{ t('join.numberHint') }}</dd>
        </div>
      }
    </dl>
  `,
})
export class JoinFacts {
  protected readonly t = inject(I18n).t;
  readonly owner = input.required<string>();
  readonly relay = input.required<string>();
  readonly until = input.required<string>();
  readonly pin = input<InvitePreview['relayPin'] | null>(null);
  readonly mine = input<string | null>(null);
  /** this device's safety number with the owner, once there is a key of its own */
  readonly number = input<string | null>(null);
}
