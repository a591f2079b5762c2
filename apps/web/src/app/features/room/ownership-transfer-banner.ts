import { Component, computed, inject, input, signal } from '@angular/core';
import type { Failure, OwnershipTransferView } from '@0fc/client/api';

import { AppStore } from '../../core/app-store';
import { I18n } from '../../core/i18n';
import { ErrorMessage } from '../../core/components/error-message';
import { Icon } from '../../ui/icon';

/** The room is being handed over: to this member, who may accept, or by this one, who may take it back. */
@Component({
  selector: 'zfc-ownership-transfer-banner',
  imports: [ErrorMessage, Icon],
  host: { class: 'contents' },
  template: `
    <div class="banner" role="status" data-testid="ownership-transfer" [attr.data-role]="offer().role">
      <zfc-icon name="key" [small]="true" />
      <p class="banner__text">{{ words() }}</p>
      @if (!offer().accepted) {
        <div class="banner__acts">
          @if (offer().role === 'offered') {
            <button
              class="btn btn--flush"
              type="button"
              data-testid="accept-room"
              [disabled]="busy()"
              (click)="act('acceptOwnership')"
            >
              {{ t('room.accept') }}
            </button>
          }
          <button
            class="btn btn--flush"
            type="button"
            data-testid="end-offer"
            [disabled]="busy()"
            (click)="act('endOwnershipOffer')"
          >
            {{ t(offer().role === 'offered' ? 'room.decline' : 'room.takeBack') }}
          </button>
        </div>
      }
    </div>
    @if (failure()) {
      <div class="banner"><zfc-error [failure]="failure()" /></div>
    }
  `,
})
export class OwnershipTransferBanner {
  readonly #store = inject(AppStore);
  protected readonly t = inject(I18n).t;
  readonly roomId = input.required<string>();
  readonly offer = input.required<OwnershipTransferView>();
  protected readonly busy = signal(false);
  protected readonly failure = signal<Failure | null>(null);
  protected readonly words = computed(() => {
    const { role, accepted, name } = this.offer();
    return this.t(`room.${role}${accepted ? 'Accepted' : ''}`, { name: name || this.t('common.someone') });
  });

  protected async act(act: 'acceptOwnership' | 'endOwnershipOffer'): Promise<void> {
    this.busy.set(true);
    this.failure.set(null);
    const outcome = await this.#store.run((api) => api[act](this.roomId()));
    this.busy.set(false);
    if (!outcome.ok) this.failure.set(outcome.error);
  }
}
