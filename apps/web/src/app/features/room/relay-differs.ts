import { Component, computed, inject, input, signal } from '@angular/core';
import type { Failure } from '@0fc/client/api';

import { AppStore } from '../../core/app-store';
import { READ_CLAIMED_RELAY } from '../../core/claimed-relay';
import { I18n } from '../../core/i18n';
import { Explain } from '../../core/explain';
import { RepinRelay } from '../../core/components/repin-relay';
import { Fingerprint } from '../../ui/fingerprint';

/** Why a room has no link while another relay answers: both fingerprints, and whom to ask. No way around it but the user's own (G13). */
@Component({
  selector: 'zfc-relay-differs',
  imports: [Fingerprint, RepinRelay],
  host: { class: 'banner__text stack stack--2' },
  template: `
    <p>{{ words() }}</p>
    <dl class="against">
      <div>
        <dt>{{ t('join.known') }}</dt>
        <dd data-testid="relay-known">
          @if (known(); as known) {
            <zfc-fingerprint [value]="known" />
          }
        </dd>
      </div>
      <div>
        <dt>{{ t('room.claimed') }}</dt>
        <dd data-testid="relay-claimed">
          @if (claimed(); as claimed) {
            <zfc-fingerprint [value]="claimed" [against]="known()" />
          } @else if (read()) {
            {{ t('room.claimedNone') }}
          }
        </dd>
      </div>
    </dl>
    <p>{{ t(same() ? 'room.otherRelaySame' : 'room.otherRelayDo') }}</p>
    <zfc-repin-relay />
  `,
})
export class RelayDiffers {
  readonly #store = inject(AppStore);
  readonly #explain = inject(Explain);
  protected readonly t = inject(I18n).t;
  readonly why = input.required<Failure>();
  /** What is wrong with a statement of the relay's is said first: without one there is nothing to say of it. */
  protected readonly words = computed(() =>
    this.why().code === 'RELAY_KEY_MISMATCH' ? this.t('room.otherRelay') : this.#explain.sentence(this.why()),
  );
  protected readonly known = computed(() => this.#store.app()?.relay.fingerprint ?? null);
  protected readonly claimed = signal<string | null>(null);
  protected readonly read = signal(false);
  /** The key that is named is the known one, and whoever answers could not prove it. */
  protected readonly same = computed(() => this.claimed() !== null && this.claimed() === this.known());

  constructor() {
    void inject(READ_CLAIMED_RELAY)().then((claimed) => {
      this.claimed.set(claimed);
      this.read.set(true);
    });
  }
}
