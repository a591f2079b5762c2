import { Component, inject, input, signal } from '@angular/core';
import type { CreatedInvite, Failure } from '@0fc/client/api';

import { AppStore } from '../../core/app-store';
import { Format } from '../../core/format';
import { I18n } from '../../core/i18n';
import { CopyButton } from '../../core/components/copy-button';
import { ErrorMessage } from '../../core/components/error-message';
import { Icon } from '../../ui/icon';
import { QrCode } from '../../ui/qr-code';

const HOUR = 3_600_000;
const LIFETIMES = [
  { key: 'hour', ms: HOUR },
  { key: 'evening', ms: 8 * HOUR },
  { key: 'day', ms: 24 * HOUR },
  { key: 'week', ms: 7 * 24 * HOUR },
] as const;
/** A link that was opened stays in a browser's history, whatever a page does: so it is not open for long. */
const DEFAULT_LIFETIME = 8 * HOUR;

/** Makes one invite and shows it: the link lives in this component's memory only. */
@Component({
  selector: 'zfc-new-invite',
  imports: [CopyButton, ErrorMessage, Icon, QrCode],
  host: { class: 'contents' },
  template: `
    <section class="card stack" [attr.aria-label]="t('members.newInvite')">
      <div class="panel-head">
        <h2 class="title-card">{{ t('members.newInvite') }}</h2>
        <span class="quiet">{{ t('members.onePerson') }}</span>
      </div>
      @if (invite(); as invite) {
        <zfc-qr [text]="invite.link" [label]="t('members.qr')" />
        <zfc-copy
          kind="labelled"
          [text]="asText(invite.link)"
          [label]="t('members.copyText')"
          testId="copy-invite-text"
          (failed)="failure.set($event)"
        />
        <p class="hint">{{ t('members.textHint') }}</p>
        <div class="input">
          <input
            #link
            class="mono"
            autocomplete="off"
            readonly
            [value]="invite.link"
            [attr.aria-label]="t('members.link')"
            data-testid="invite-link"
            (focus)="link.select()"
          />
          <zfc-copy
            [text]="invite.link"
            [label]="t('common.copy')"
            testId="copy-invite"
            (failed)="failure.set($event)"
          />
          @if (canShare) {
            <button
              class="icon-btn"
              type="button"
              [attr.aria-label]="t('members.share')"
              [title]="t('members.share')"
              (click)="share(invite.link)"
            >
              <zfc-icon name="share" />
            </button>
          }
        </div>
        <p>
          {{
            t('members.openUntil', {
              time: format.moment(invite.expires),
              relative: format.relative(invite.expires),
            })
          }}
        </p>
        <p class="hint">{{ t('members.hint') }} {{ t('members.once') }}</p>
        <zfc-error [failure]="failure()" />
        <button class="btn btn--soft" type="button" data-testid="another-invite" (click)="clear()">
          {{ t('members.another') }}
        </button>
      } @else {
        <form class="stack" (submit)="$event.preventDefault(); make()">
          <div class="field">
            <label for="lifetime">{{ t('members.openFor') }}</label>
            <div class="input">
              <select
                #select
                id="lifetime"
                data-testid="invite-lifetime"
                (change)="lifetime.set(+select.value)"
              >
                @for (option of lifetimes; track option.ms) {
                  <option [value]="option.ms" [selected]="option.ms === lifetime()">
                    {{ t('members.' + option.key) }}
                  </option>
                }
              </select>
              <zfc-icon name="down" />
            </div>
          </div>
          <p class="hint">{{ t('members.hint') }}</p>
          <zfc-error [failure]="failure()" />
          <button
            class="btn btn--primary"
            type="submit"
            data-testid="make-invite"
            [disabled]="busy()"
            [attr.aria-busy]="busy()"
          >
            @if (busy()) {
              <span class="spinner"></span>
            }
            {{ t(busy() ? 'members.making' : 'members.make') }}
          </button>
        </form>
      }
    </section>
  `,
})
export class NewInvite {
  readonly #store = inject(AppStore);
  protected readonly format = inject(Format);
  protected readonly t = inject(I18n).t;
  readonly roomId = input.required<string>();
  protected readonly lifetimes = LIFETIMES;
  protected readonly lifetime = signal(DEFAULT_LIFETIME);
  protected readonly invite = signal<CreatedInvite | null>(null);
  protected readonly busy = signal(false);
  protected readonly failure = signal<Failure | null>(null);
  protected readonly canShare = 'share' in navigator;

  protected async make(): Promise<void> {
    if (this.busy()) return;
    this.busy.set(true);
    this.failure.set(null);
    const outcome = await this.#store.run((api) => api.createInvite(this.roomId(), this.lifetime()));
    this.busy.set(false);
    if (outcome.ok) this.invite.set(outcome.value);
    else this.failure.set(outcome.error);
  }

  /** To paste, and no address to open: nothing of it comes into the joiner's history. */
  protected asText(link: string): string {
    const [address = '', secret = ''] = link.split('#');
    return this.t('members.inviteText', { address, secret });
  }

  protected clear(): void {
    this.invite.set(null);
    this.failure.set(null);
  }

  protected async share(link: string): Promise<void> {
    try {
      await navigator.share({ url: link });
    } catch (error) {
      // Closing the sheet is an answer, not a failure.
      if (!(error instanceof DOMException) || error.name !== 'AbortError')
        this.failure.set({ code: 'CLIPBOARD_REFUSED' });
    }
  }
}
