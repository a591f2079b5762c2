import { LiveAnnouncer } from '@angular/cdk/a11y';
import {
  afterNextRender,
  Component,
  computed,
  effect,
  ElementRef,
  inject,
  Injector,
  input,
  signal,
  untracked,
} from '@angular/core';
import { RouterLink } from '@angular/router';
import type { Failure, SafetyNumberView } from '@0fc/client/api';

import { commandState } from '../../core/command-state';
import { AppStore } from '../../core/app-store';
import { I18n } from '../../core/i18n';
import { roomFailure } from '../../core/page-codes';
import { Avatar } from '../../ui/avatar';
import { CopyButton } from '../../core/components/copy-button';
import { ErrorMessage } from '../../core/components/error-message';
import { Fingerprint } from '../../ui/fingerprint';
import { Icon } from '../../ui/icon';
import { QrCode } from '../../ui/qr-code';
import { groupedDigits, SafetyNumber } from '../../ui/safety-number';
import { named } from '../../core/names';

/** Comparing keys with one member, by number or by code (docs/protocol.md section 10). */
@Component({
  selector: 'zfc-verify-page',
  imports: [Avatar, CopyButton, ErrorMessage, Fingerprint, Icon, QrCode, RouterLink, SafetyNumber],
  host: { class: 'contents' },
  template: `
    <main class="pane pane--main">
      <header class="topbar">
        <a
          class="icon-btn"
          [routerLink]="['/room', id(), 'members']"
          [attr.aria-label]="t('members.compare.back')"
          [title]="t('members.compare.back')"
          data-testid="back-to-members"
          ><zfc-icon name="back"
        /></a>
        <div class="topbar__text">
          <h1 class="topbar__title" tabindex="-1">
            {{ them() ? t('members.compare.heading', { name: name() }) : t('members.compare.title') }}
          </h1>
          @if (them(); as them) {
            <p class="topbar__sub" data-testid="verify-state" [attr.data-verified]="them.verified">
              {{ t(them.verified ? 'members.compare.is' : 'members.compare.not') }}
            </p>
          }
        </div>
      </header>
      <div class="scroll body">
        @if (number(); as number) {
          @if (them(); as them) {
            <div class="verify">
              <div class="pair" [class.pair--same]="them.verified">
                <zfc-avatar [name]="me()?.name ?? ''" [identity]="number.myFingerprint" /><i></i
                ><zfc-avatar [name]="them.name" [identity]="number.theirFingerprint" />
                <p class="lead">{{ t('members.compare.lead') }}</p>
              </div>
              <div class="card card--float card--flush split">
                <section>
                  <div class="panel-head">
                    <h2 class="title-card">{{ t('members.compare.number') }}</h2>
                    <zfc-copy
                      [text]="grouped(number.digits)"
                      [label]="t('members.compare.copy')"
                      (failed)="copyFailure.set($event)"
                    />
                  </div>
                  <zfc-safety-number [digits]="number.digits" />
                  <dl class="facts facts--plain">
                    <div>
                      <dt>{{ t('members.compare.mine') }}</dt>
                      <dd><zfc-fingerprint [value]="number.myFingerprint" /></dd>
                    </div>
                    <div>
                      <dt>{{ t('members.compare.theirs', { name: name() }) }}</dt>
                      <dd><zfc-fingerprint [value]="number.theirFingerprint" /></dd>
                    </div>
                  </dl>
                  <zfc-error [failure]="command.failure() ?? copyFailure()" />
                  @if (them.verified) {
                    <p class="mark mark--ok">
                      <zfc-icon name="verified" [small]="true" /><span>{{ t('members.compare.done') }}</span>
                    </p>
                    <button
                      class="btn btn--line"
                      type="button"
                      data-testid="unverify"
                      data-act="undo"
                      [attr.aria-busy]="command.busy()"
                      (click)="mark(false)"
                    >
                      {{ t('members.compare.undo') }}
                    </button>
                  } @else {
                    <div class="stack stack--2">
                      <button
                        class="btn btn--primary"
                        type="button"
                        data-testid="mark-verified"
                        data-act="mark"
                        [attr.aria-busy]="command.busy()"
                        (click)="mark(true)"
                      >
                        <zfc-icon name="check" />{{ t('members.compare.same') }}
                      </button>
                      <button
                        class="btn btn--danger"
                        type="button"
                        data-testid="differs"
                        [attr.aria-expanded]="differs()"
                        (click)="differs.set(!differs())"
                      >
                        {{ t('members.compare.differs') }}
                      </button>
                    </div>
                  }
                </section>
                <section>
                  <div class="panel-head">
                    <h2 class="title-card">{{ t('members.compare.side') }}</h2>
                    <span class="quiet">{{ t('members.compare.sideHint') }}</span>
                  </div>
                  <zfc-qr [text]="number.qr" [label]="t('members.compare.qr')" />
                  <p class="hint">{{ t('members.compare.qrHint') }}</p>
                </section>
              </div>
              @if (differs() && !them.verified) {
                <section class="notice" role="alert" data-testid="differs-advice">
                  <zfc-icon name="alarm" />
                  <div class="stack stack--2">
                    <h2 class="title-card">{{ t('members.compare.differsTitle') }}</h2>
                    <p>{{ t('members.compare.differsText') }}</p>
                  </div>
                </section>
              }
            </div>
          }
        } @else if (failure(); as failure) {
          <div class="card w-sm stack">
            <zfc-error [failure]="failure" />
            <a class="btn btn--primary" [routerLink]="['/room', id(), 'members']">{{
              t('members.compare.back')
            }}</a>
          </div>
        } @else {
          <p class="waiting" role="status"><span class="spinner"></span>{{ t('room.loading') }}</p>
        }
      </div>
    </main>
  `,
})
export class VerifyPage {
  readonly #store = inject(AppStore);
  readonly #announcer = inject(LiveAnnouncer);
  readonly #injector = inject(Injector);
  readonly #host = inject<ElementRef<HTMLElement>>(ElementRef);
  protected readonly t = inject(I18n).t;
  protected readonly command = commandState();
  protected readonly grouped = groupedDigits;
  readonly id = input.required<string>();
  /** the member's id */
  readonly member = input.required<string>();
  protected readonly number = signal<SafetyNumberView | null>(null);
  protected readonly differs = signal(false);
  protected readonly copyFailure = signal<Failure | null>(null);
  /** one of the two buttons was pressed, and the other one replaces it */
  #marking = false;
  readonly #refused = signal<Failure | null>(null);
  readonly #members = computed(() => {
    const room = this.#store.room();
    return room?.roomId === this.id() ? room.members : null;
  });
  readonly #ready = computed(() => this.#members() !== null);
  protected readonly me = computed(() => this.#members()?.find(({ me }) => me));
  protected readonly them = computed(() =>
    this.#members()?.find(({ me, memberId }) => memberId === this.member() && !me),
  );
  protected readonly name = computed(() => named(this.them()?.name, this.t('members.nameless')));
  protected readonly failure = computed<Failure | null>(
    () => roomFailure(this.#store.watchFailure()) ?? this.#refused(),
  );

  constructor() {
    effect(() => {
      const [id, member] = [this.id(), this.member()];
      if (this.#ready()) untracked(() => void this.#read(id, member));
    });
    effect(() => {
      const act = this.them()?.verified === true ? 'undo' : 'mark';
      if (!this.#marking) return;
      this.#marking = false;
      // The button that was pressed is gone, and the focus with it.
      afterNextRender(
        () => this.#host.nativeElement.querySelector<HTMLElement>(`[data-act="${act}"]`)?.focus(),
        { injector: this.#injector },
      );
    });
    // Somebody who has left the roster while their number was on screen is nobody to verify.
    effect(() => {
      if (this.#ready() && this.them() === undefined) {
        this.number.set(null);
        this.#refused.set({ code: 'MEMBER_UNKNOWN' });
      }
    });
  }

  protected async mark(verified: boolean): Promise<void> {
    this.#marking = true;
    const outcome = await this.command.run((api) => api.setVerified(this.id(), this.member(), verified));
    if (outcome?.ok !== true) {
      this.#marking = false;
      return;
    }
    this.differs.set(false);
    await this.#announcer.announce(this.t(verified ? 'members.compare.done' : 'members.compare.undone'));
  }

  async #read(id: string, member: string): Promise<void> {
    this.number.set(null);
    this.#refused.set(null);
    this.differs.set(false);
    const outcome = await this.#store.run((api) => api.safetyNumber(id, member));
    if (id !== this.id() || member !== this.member()) return;
    if (!outcome.ok) this.#refused.set(outcome.error);
    else if (this.them() !== undefined) this.number.set(outcome.value);
  }
}
