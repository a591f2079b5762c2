import { Component, inject, input, output, signal } from '@angular/core';

import { I18n } from '../i18n';

/** A field for an invite link. Its text goes to the memory of the join screen, never into a URL. */
@Component({
  selector: 'zfc-paste-invite',
  host: { class: 'contents' },
  template: `
    <form class="card stack" [class.card--float]="alone()" (submit)="$event.preventDefault(); submit()">
      @if (alone()) {
        <h1 class="title-page" tabindex="-1">{{ t('join.pasteTitle') }}</h1>
        <p class="muted">{{ t('join.pasteLead') }}</p>
      } @else {
        <h2 class="title-card">{{ t('home.joinTitle') }}</h2>
      }
      <div class="field">
        <label for="invite-text">{{ t('home.inviteLink') }}</label>
        <div class="input">
          <input
            #field
            id="invite-text"
            data-testid="paste-invite"
            placeholder="https://…"
            autocomplete="off"
            autocapitalize="off"
            spellcheck="false"
            [value]="text()"
            (input)="text.set(field.value)"
            aria-describedby="invite-hint"
          />
        </div>
        <p class="hint" id="invite-hint">{{ t('home.inviteHint') }}</p>
      </div>
      <button
        class="btn"
        [class.btn--primary]="alone()"
        [class.btn--soft]="!alone()"
        type="submit"
        data-testid="read-invite"
        [disabled]="text().trim() === ''"
      >
        {{ t('home.read') }}
      </button>
    </form>
  `,
})
export class PasteInvite {
  protected readonly t = inject(I18n).t;
  readonly alone = input(false);
  readonly pasted = output<string>();
  protected readonly text = signal('');

  protected submit(): void {
    const text = this.text().trim();
    if (text !== '') this.pasted.emit(text);
    this.text.set('');
  }
}
