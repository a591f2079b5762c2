import { Component, computed, inject, input } from '@angular/core';
import type { OwnershipTransferView, RoomView } from '@0fc/client/api';

import { commandState } from '../../core/command-state';
import { Format } from '../../core/format';
import { I18n } from '../../core/i18n';
import { ErrorMessage } from '../../core/components/error-message';
import { Icon } from '../../ui/icon';
import { named } from '../../core/names';

/** An ownership transfer under way, on either side of it. */
@Component({
  selector: 'zfc-ownership-transfer-card',
  imports: [ErrorMessage, Icon],
  host: { class: 'contents' },
  template: `
    @if (room().ownershipTransfer; as offer) {
      <section
        class="card card--caution stack stack--3"
        [attr.aria-label]="title()"
        data-testid="ownership-transfer-card"
        [attr.data-role]="offer.role"
        [attr.data-accepted]="offer.accepted"
      >
        <div class="row">
          <zfc-icon name="transferOwnership" />
          <h2 class="title-card wrap-anywhere">{{ title() }}</h2>
        </div>
        <p role="status">{{ text() }}</p>
        <zfc-error [failure]="command.failure()" />
        @if (offer.role === 'offering' && !offer.accepted) {
          <div class="row row--wrap">
            <button
              class="btn btn--line"
              type="button"
              data-testid="take-back"
              [disabled]="command.busy()"
              [attr.aria-busy]="command.busy()"
              (click)="end()"
            >
              {{ t('members.hand.takeBack') }}
            </button>
          </div>
        }
        @if (offer.role === 'offered' && !offer.accepted) {
          <div class="row row--wrap">
            <button
              class="btn btn--line"
              type="button"
              data-testid="decline-room"
              [disabled]="command.busy()"
              (click)="end()"
            >
              {{ t('members.hand.decline') }}
            </button>
            <button
              class="btn btn--primary"
              type="button"
              data-testid="accept-room"
              [disabled]="command.busy()"
              [attr.aria-busy]="command.busy()"
              (click)="accept()"
            >
              @if (command.busy()) {
                <span class="spinner"></span>
              }
              {{ t('members.hand.accept') }}
            </button>
          </div>
        }
      </section>
    }
  `,
})
export class OwnershipTransferCard {
  readonly #format = inject(Format);
  protected readonly t = inject(I18n).t;
  protected readonly command = commandState();
  readonly room = input.required<RoomView>();
  protected readonly title = computed(() => this.#say((offer) => `members.hand.${offer.role}`));
  protected readonly text = computed(() =>
    this.#say(({ role, accepted }) => {
      if (accepted) return `members.hand.${role}Done`;
      return role === 'offering' ? 'members.hand.offeringSince' : 'members.hand.offeredText';
    }),
  );

  #say(key: (offer: OwnershipTransferView) => string): string {
    const offer = this.room().ownershipTransfer;
    if (offer === null) return '';
    return this.t(key(offer), {
      name: named(offer.name, this.t('members.nameless')),
      time: this.#format.relative(offer.since),
    });
  }

  protected end(): void {
    void this.command.run((api) => api.endOwnershipOffer(this.room().roomId));
  }

  protected accept(): void {
    void this.command.run((api) => api.acceptOwnership(this.room().roomId));
  }
}
