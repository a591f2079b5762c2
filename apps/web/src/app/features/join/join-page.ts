import {
  Component,
  computed,
  effect,
  inject,
  input,
  linkedSignal,
  signal,
  untracked,
  viewChild,
} from '@angular/core';
import { Router, RouterLink } from '@angular/router';
import type { Failure, InvitePreview, JoinView } from '@0fc/client/api';

import { AppStore } from '../../core/app-store';
import { Format } from '../../core/format';
import { I18n } from '../../core/i18n';
import { Invites } from '../../core/invites';
import { ErrorMessage } from '../../core/components/error-message';
import { Icon } from '../../ui/icon';
import { Modal } from '../../ui/modal';
import { PageBar } from '../../ui/page-bar';
import { PasteInvite } from '../../core/components/paste-invite';
import { factsOf, JoinFacts } from './join-facts';
import { JoinRefused } from './join-refused';
import { completed, JoinSteps } from './join-steps';

/** How long "admitted" stays in view before the room opens by itself. */
const LINGER_MS = 1_200;

/** From an invite to the room: read, look, ask, and watch each step (docs/protocol.md section 5). */
@Component({
  selector: 'zfc-join-page',
  imports: [ErrorMessage, Icon, JoinFacts, JoinRefused, JoinSteps, Modal, PageBar, PasteInvite, RouterLink],
  host: { class: 'contents' },
  template: `
    <div class="page">
      <zfc-page-bar
        ><a class="btn btn--flush" routerLink="/" (click)="invites.forget()">{{
          t(refused() ? 'common.close' : 'common.cancel')
        }}</a></zfc-page-bar
      >
      <main class="page__center" [class.page__center--mid]="refused() || reading()">
        @if (invites.changed()) {
          <div class="w-sm stack">
            <div class="notice notice--caution" role="status" data-testid="link-changed">
              <zfc-icon name="info" [small]="true" />
              <div class="stack stack--2">
                <p>
                  <b>{{ t('join.changedTitle') }}</b>
                </p>
                <p>{{ t('join.changedText') }}</p>
                <p>{{ t('join.changedSeen') }}</p>
              </div>
            </div>
            <zfc-paste-invite [alone]="true" (pasted)="invites.offer($event)" />
          </div>
        } @else if (refused(); as failure) {
          <zfc-join-refused
            [failure]="failure"
            [preview]="preview()"
            [running]="join() !== null"
            (dropped)="drop()"
            (left)="leave()"
            (givenUp)="modal.show()"
          />
        } @else if (facts(); as subject) {
          <div class="card card--float card--flush split w-lg">
            <form (submit)="$event.preventDefault(); ask()">
              <div class="stack stack--2">
                <h1 class="title-page" tabindex="-1">{{ t('join.title') }}</h1>
                <p class="muted">{{ t('join.lead') }}</p>
              </div>
              <zfc-join-facts
                [owner]="subject.owner"
                [relay]="subject.relay"
                [until]="subject.until"
                [pin]="preview()?.relayPin ?? null"
                [mine]="join()?.myFingerprint ?? null"
                [number]="join()?.safetyNumber || null"
              />
              <p class="hint" data-testid="join-compare">{{ t('join.compare') }}</p>
              <div class="field">
                <label for="join-name">{{ t('join.name') }}</label>
                <div
                  class="input"
                  [class.input--fixed]="join() !== null"
                  [class.input--error]="failure()?.code?.startsWith('NAME_')"
                >
                  <input
                    #field
                    id="join-name"
                    data-testid="join-name"
                    maxlength="64"
                    autocomplete="off"
                    [readOnly]="join() !== null"
                    [value]="join()?.displayName ?? name()"
                    (input)="name.set(field.value)"
                    aria-describedby="join-name-hint"
                  />
                </div>
                <p class="hint" id="join-name-hint">
                  {{ t(join() === null ? 'join.nameHint' : 'join.nameSent') }}
                </p>
              </div>
              <zfc-error [failure]="failure()" />
              @if (join() === null) {
                @if (preview()?.resumes) {
                  <p class="hint">{{ t('join.resumes') }}</p>
                }
                <button
                  class="btn btn--primary"
                  type="submit"
                  data-testid="join-start"
                  [disabled]="busy()"
                  [attr.aria-busy]="busy()"
                >
                  @if (busy()) {
                    <span class="spinner"></span>
                  }
                  {{ t(busy() ? 'join.asking' : preview()?.resumes ? 'join.resume' : 'join.ask') }}
                </button>
              } @else if (admitted()) {
                <button class="btn btn--primary" type="button" data-testid="join-enter" (click)="enter()">
                  {{ t('join.enter') }}
                </button>
              } @else {
                <button
                  class="btn btn--danger btn--flush"
                  type="button"
                  data-testid="join-give-up"
                  (click)="modal.show()"
                >
                  {{ t('join.giveUp') }}
                </button>
              }
            </form>
            <section>
              <zfc-join-steps [join]="join()" />
              @if (join() !== null && !admitted() && join()?.connection !== 'connected') {
                <p
                  class="notice notice--caution"
                  role="status"
                  data-testid="connection"
                  [attr.data-state]="join()?.connection"
                >
                  <zfc-icon name="offline" [small]="true" /><span>{{ t('join.offline') }}</span>
                </p>
              }
            </section>
          </div>
        } @else if (reading()) {
          <p class="waiting" role="status"><span class="spinner"></span>{{ t('join.steps.invite.now') }}</p>
        } @else {
          <div class="w-sm stack"><zfc-paste-invite [alone]="true" (pasted)="invites.offer($event)" /></div>
        }
      </main>
    </div>
    <zfc-modal #modal [heading]="t('join.giveUpTitle')">
      <p>{{ t('join.giveUpText') }}</p>
      <div class="dialog__actions">
        <button class="btn btn--line" type="button" (click)="modal.close()">{{ t('common.cancel') }}</button>
        <button
          class="btn btn--alarm"
          type="button"
          data-testid="join-give-up-confirm"
          (click)="modal.close(); drop()"
        >
          {{ t('join.giveUpConfirm') }}
        </button>
      </div>
    </zfc-modal>
  `,
})
export class JoinPage {
  readonly #store = inject(AppStore);
  readonly #router = inject(Router);
  readonly #format = inject(Format);
  protected readonly invites = inject(Invites);
  protected readonly t = inject(I18n).t;
  protected readonly modal = viewChild.required(Modal);
  /** the query parameter of a join under way; a room id is no secret */
  readonly room = input<string>();

  protected readonly preview = signal<InvitePreview | null>(null);
  protected readonly reading = signal(false);
  protected readonly busy = signal(false);
  protected readonly name = signal('');
  /** what a field or the relay had against the request; the form stays */
  protected readonly failure = signal<Failure | null>(null);
  /** the invite itself could not be read */
  readonly #unreadable = signal<Failure | null>(null);

  readonly #live = computed(() => this.#store.joins().find((join) => join.roomId === this.room()) ?? null);
  /** An admitted join leaves the list at once; its last view stays until the room opens. */
  protected readonly join = linkedSignal<{ live: JoinView | null; admitted: boolean }, JoinView | null>({
    source: () => ({ live: this.#live(), admitted: this.admitted() }),
    computation: ({ live, admitted }, previous) => {
      const last = live ?? previous?.value ?? null;
      return admitted && last !== null && last.roomId === this.room() ? completed(last) : live;
    },
  });
  protected readonly admitted = computed(
    () =>
      this.#store.rooms().some((room) => room.roomId === this.room() && room.stage === 'member') ||
      (this.#live()?.done.some(({ step }) => step === 'admitted') ?? false),
  );
  /** what is drawn of who invites; null while there is nothing to draw, or where it cannot be drawn */
  protected readonly facts = computed(() => {
    const subject = this.join() ?? this.preview();
    return subject === null ? null : factsOf(subject, this.#format);
  });
  protected readonly refused = computed<Failure | null>(() => {
    if (this.#unreadable() !== null) return this.#unreadable();
    // Nobody is asked for a word on what cannot be shown: no field, no button.
    if (this.preview() !== null && this.facts() === null) return { code: 'INVITE_MALFORMED' };
    if (this.preview()?.relayPin === 'differs') return { code: 'RELAY_KEY_MISMATCH' };
    return this.join()?.failure ?? null;
  });

  constructor() {
    effect(() => {
      const invite = this.invites.pending();
      if (invite !== null) untracked(() => void this.#read(invite.text));
    });
    effect((onCleanup) => {
      if (!this.admitted()) return;
      const timer = setTimeout(() => void this.enter(), untracked(this.join) === null ? 0 : LINGER_MS);
      onCleanup(() => clearTimeout(timer));
    });
  }

  protected async ask(): Promise<void> {
    const invite = this.invites.pending();
    if (this.busy() || invite === null || this.join() !== null) return;
    if (this.name().trim() === '') {
      this.failure.set({ code: 'NAME_EMPTY' });
      return;
    }
    this.busy.set(true);
    this.failure.set(null);
    const outcome = await this.#store.run((api) => api.join(invite.text, this.name().trim()));
    this.busy.set(false);
    if (!outcome.ok) {
      this.#end(outcome.error);
      return;
    }
    this.invites.forget();
    await this.#router.navigate(['/join'], { queryParams: { room: outcome.value.roomId }, replaceUrl: true });
  }

  /** Puts the invite away, and the join with it where one was begun. */
  protected async drop(): Promise<void> {
    const stays = this.#unreadable()?.code === 'INVITE_MALFORMED';
    const join = this.join();
    this.invites.forget();
    this.#unreadable.set(null);
    this.preview.set(null);
    if (stays) return;
    if (join !== null) {
      const outcome = await this.#store.run((api) => api.abandonJoin(join.roomId));
      if (!outcome.ok) {
        this.failure.set(outcome.error);
        return;
      }
    }
    await this.#router.navigateByUrl('/', { replaceUrl: true });
  }

  /** Back to the list: the join goes on, or waits there. */
  protected async leave(): Promise<void> {
    await this.#router.navigateByUrl('/', { replaceUrl: true });
  }

  protected async enter(): Promise<void> {
    const room = this.room();
    if (room !== undefined) await this.#router.navigate(['/room', room], { replaceUrl: true });
  }

  async #read(text: string): Promise<void> {
    this.reading.set(true);
    this.#unreadable.set(null);
    this.preview.set(null);
    this.failure.set(null);
    if (this.room() !== undefined) await this.#router.navigate(['/join'], { replaceUrl: true });
    const outcome = await this.#store.run((api) => api.previewInvite(text));
    this.reading.set(false);
    if (!outcome.ok) {
      this.#unreadable.set(outcome.error);
      return;
    }
    const { resumes, roomId } = outcome.value;
    const known = resumes ? this.#store.joins().find((join) => join.roomId === roomId) : undefined;
    if (known === undefined) {
      this.preview.set(outcome.value);
      return;
    }
    // Whatever it was refused with, it is tried once more, under the same keys.
    const resumed = await this.#store.run((api) => api.join(text, known.displayName));
    if (!resumed.ok) {
      this.#unreadable.set(resumed.error);
      return;
    }
    this.invites.forget();
    await this.#router.navigate(['/join'], { queryParams: { room: roomId }, replaceUrl: true });
  }

  /** A refusal that concerns the invite ends the screen; one that concerns a field leaves the form. */
  #end(failure: Failure): void {
    if (failure.code.startsWith('NAME_') || failure.code === 'OFFLINE' || failure.code === 'TRY_AGAIN')
      this.failure.set(failure);
    else this.#unreadable.set(failure);
  }
}
