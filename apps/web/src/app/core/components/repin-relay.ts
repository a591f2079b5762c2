import { afterNextRender, Component, computed, inject, Injector, signal, viewChild } from '@angular/core';

import { AppStore } from '../app-store';
import { READ_CLAIMED_RELAY } from '../claimed-relay';
import { commandState } from '../command-state';
import { I18n } from '../i18n';
import { RepinnedRelay } from '../repinned-relay';
import { Fingerprint } from '../../ui/fingerprint';
import { Modal } from '../../ui/modal';
import { ErrorMessage } from './error-message';

/**
 * The user's own act to trust another key of the relay (G13): by the fingerprint that the operator has told by another
 * way, typed here. What the relay names is shown beside the known key, and is never taken from there.
 */
@Component({
  selector: 'zfc-repin-relay',
  imports: [ErrorMessage, Fingerprint, Modal],
  host: { class: 'contents' },
  template: `
    <button class="btn btn--flush" type="button" data-testid="repin-relay" (click)="ask()">
      {{ t('settings.repin.open') }}
    </button>
    <zfc-modal #modal [heading]="t('settings.repin.title')" (closed)="asking.set(false)">
      @if (asking()) {
        <form class="stack" (submit)="$event.preventDefault(); repin()">
          <p>{{ t('settings.repin.warning') }}</p>
          <dl class="against">
            <div>
              <dt>{{ t('join.known') }}</dt>
              <dd data-testid="repin-known">
                @if (known(); as known) {
                  <zfc-fingerprint [value]="known" />
                } @else {
                  {{ t('settings.repin.none') }}
                }
              </dd>
            </div>
            <div>
              <dt>{{ t('room.claimed') }}</dt>
              <dd data-testid="repin-claimed">
                @if (claimed(); as claimed) {
                  <zfc-fingerprint [value]="claimed" [against]="known()" />
                } @else if (read()) {
                  {{ t('room.claimedNone') }}
                }
              </dd>
            </div>
          </dl>
          <label class="label" for="repin-fingerprint">{{ t('settings.repin.field') }}</label>
          <input
            #field
            id="repin-fingerprint"
            class="input mono"
            data-testid="repin-fingerprint"
            autocomplete="off"
            autocapitalize="characters"
            spellcheck="false"
            maxlength="40"
            [value]="typed()"
            (input)="typed.set(field.value)"
          />
          <zfc-error [failure]="command.failure()" />
          <div class="dialog__actions">
            <button class="btn btn--line" type="button" (click)="modal.close()">
              {{ t('common.cancel') }}
            </button>
            <button
              class="btn btn--alarm"
              type="submit"
              data-testid="repin-confirm"
              [disabled]="command.busy()"
              [attr.aria-busy]="command.busy()"
            >
              {{ t('settings.repin.confirm') }}
            </button>
          </div>
        </form>
      }
    </zfc-modal>
  `,
})
export class RepinRelay {
  readonly #store = inject(AppStore);
  readonly #readClaimed = inject(READ_CLAIMED_RELAY);
  readonly #injector = inject(Injector);
  private readonly dialog = viewChild.required(Modal);
  protected readonly t = inject(I18n).t;
  protected readonly command = commandState();
  protected readonly known = computed(() => this.#store.app()?.relay.fingerprint ?? null);
  protected readonly claimed = signal<string | null>(null);
  protected readonly read = signal(false);
  protected readonly asking = signal(false);
  protected readonly typed = signal('');
  readonly #repinned = inject(RepinnedRelay).last;

  protected async ask(): Promise<void> {
    this.command.clear();
    this.typed.set('');
    this.read.set(false);
    this.asking.set(true);
    afterNextRender(() => this.dialog().show(), { injector: this.#injector });
    this.claimed.set(await this.#readClaimed());
    this.read.set(true);
  }

  protected async repin(): Promise<void> {
    if (this.command.busy()) return;
    const outcome = await this.command.run((api) => api.repinRelay(this.typed()));
    if (outcome?.ok !== true) return;
    this.#repinned.set(outcome.value);
    this.dialog().close();
  }
}
