import { Component, computed, inject, input, output, signal } from '@angular/core';
import type { Failure, InvitePreview } from '@0fc/client/api';

import { Explain } from '../../core/explain';
import { I18n } from '../../core/i18n';
import { isOtherRelay } from '../../core/other-relay';
import { PAGE_CODES } from '../../core/page-codes';
import { ErrorMessage } from '../../core/components/error-message';
import { RelayChanged } from '../../core/components/relay-changed';
import { RepinRelay } from '../../core/components/repin-relay';
import { Fingerprint, groupedFingerprint } from '../../ui/fingerprint';
import { Icon } from '../../ui/icon';

/** Refusals of an invite after which no way leads on with it. */
const ENDED: ReadonlySet<string> = new Set([
  'INVITE_EXPIRED', 'INVITE_USED', 'INVITE_REVOKED', 'ROOM_CLOSED', 'WAS_MEMBER',
]); // prettier-ignore

/**
 * A join that ended. A relay with another key than the pinned one is a stop that nothing but the user's own act leads
 * around (G13); every other ending says what happened and what can be done.
 */
@Component({
  selector: 'zfc-join-refused',
  imports: [ErrorMessage, Fingerprint, Icon, RelayChanged, RepinRelay],
  host: { class: 'contents' },
  template: `
    @if (stopped()) {
      <section
        class="alarm stop w-lg"
        role="alert"
        data-testid="join-refused"
        [attr.data-code]="failure().code"
      >
        <span class="alarm-knot"><zfc-icon name="alarm" /></span>
        <div class="stack">
          <h1 tabindex="-1">{{ t(first() ? 'join.stopTitleFirst' : 'join.stopTitle') }}</h1>
          @if (both(); as both) {
            <p>{{ t('join.stopText') }}</p>
            <dl class="against">
              <div>
                <dt>{{ knownLabel() }}</dt>
                <dd><zfc-fingerprint [value]="both.known" /></dd>
              </div>
              <div>
                <dt>{{ t('join.named') }}</dt>
                <dd><zfc-fingerprint [value]="both.named" [against]="both.known" /></dd>
              </div>
            </dl>
            <p>{{ t('join.stopDo') }}</p>
          } @else {
            <p>{{ explain.remedy(failure()) }}</p>
          }
          <zfc-relay-changed />
          <zfc-error [failure]="copyFailure()" />
          <div class="row row--wrap">
            <button class="btn btn--alarm" type="button" data-testid="join-drop" (click)="dropped.emit()">
              {{ t('join.drop') }}
            </button>
            @if (!first()) {
              <zfc-repin-relay />
            }
            @if (both()) {
              <button class="btn btn--flush" type="button" (click)="copy()">
                <zfc-icon [name]="copied() ? 'check' : 'copy'" />{{
                  t(copied() ? 'common.copied' : 'join.copyBoth')
                }}
              </button>
            }
          </div>
        </div>
      </section>
    } @else {
      <section
        class="card card--float w-sm stack"
        role="alert"
        data-testid="join-refused"
        [attr.data-code]="failure().code"
      >
        <h1 class="title-page" tabindex="-1">{{ explain.refusal(failure().code) }}</h1>
        <p class="lead">{{ explain.remedy(failure()) }}</p>
        @if (running()) {
          @if (mayGoOn()) {
            <p class="muted" data-testid="join-kept">{{ t('join.kept') }}</p>
          }
          <button
            class="btn btn--primary btn--wide"
            type="button"
            data-testid="join-home"
            (click)="left.emit()"
          >
            {{ t('join.home') }}
          </button>
          <button
            class="btn btn--danger btn--flush"
            type="button"
            data-testid="join-give-up"
            (click)="givenUp.emit()"
          >
            {{ t('join.giveUp') }}
          </button>
        } @else {
          <button
            class="btn btn--primary btn--wide"
            type="button"
            data-testid="join-drop"
            (click)="dropped.emit()"
          >
            {{ t(failure().code === 'INVITE_MALFORMED' ? 'join.another' : 'join.home') }}
          </button>
        }
      </section>
    }
  `,
})
export class JoinRefused {
  protected readonly explain = inject(Explain);
  protected readonly t = inject(I18n).t;
  readonly failure = input.required<Failure>();
  readonly preview = input<InvitePreview | null>(null);
  /** keys and token of a join that has begun are kept: no answer of the relay deletes them */
  readonly running = input(false);
  readonly dropped = output();
  readonly left = output();
  readonly givenUp = output();
  protected readonly copied = signal(false);
  protected readonly copyFailure = signal<Failure | null>(null);
  protected readonly mayGoOn = computed(() => !ENDED.has(this.failure().code));
  protected readonly stopped = computed(() => isOtherRelay(this.failure().code));
  /** Nothing was pinned before: the relay that answers is not the one that the invite names. */
  protected readonly first = computed(() => this.preview()?.pinnedFingerprint === null);
  protected readonly knownLabel = computed(() => this.t(this.first() ? 'join.answering' : 'join.known'));
  protected readonly both = computed(() => {
    const { pinned, other } = this.failure().params ?? {};
    const preview = this.preview();
    const known = preview?.pinnedFingerprint ?? pinned;
    const named = preview?.relayFingerprint ?? other;
    return typeof known === 'string' && typeof named === 'string' ? { known, named } : null;
  });

  protected async copy(): Promise<void> {
    const both = this.both();
    if (both === null) return;
    try {
      await navigator.clipboard.writeText(
        `${this.knownLabel()}: ${groupedFingerprint(both.known)}\n${this.t('join.named')}: ${groupedFingerprint(both.named)}`,
      );
      this.copied.set(true);
    } catch {
      this.copyFailure.set({ code: PAGE_CODES.CLIPBOARD_REFUSED });
    }
  }
}
