import { Component, computed, DestroyRef, inject, input, signal } from '@angular/core';
import type { JoinStep, JoinView } from '@0fc/client/api';

import { Format } from '../../core/format';
import { I18n } from '../../core/i18n';
import { Icon } from '../../ui/icon';

/** The first two happen in this page, before anything is sent; the rest are the protocol's (section 5). */
const LOCAL = ['invite', 'relay'] as const;
const REMOTE: readonly JoinStep[] = [
  'claim',
  'request',
  'ownerReply',
  'keyReceived',
  'confirmed',
  'admitted',
];

export type StepState = 'done' | 'now' | 'todo' | 'fail';

interface Step {
  readonly name: string;
  readonly state: StepState;
  readonly what: string;
  readonly more: string;
  readonly time: string;
}

/** The view of a join that has ended in the room: every step is done. */
export function completed(join: JoinView): JoinView {
  const done = new Map(join.done.map(({ step, time }) => [step, time]));
  return {
    ...join,
    done: REMOTE.map((step) => ({ step, time: done.get(step) ?? Date.now() })),
    current: null,
    failure: null,
  };
}

/** The handshake as it happens, on the same thread as a room. */
@Component({
  selector: 'zfc-join-steps',
  imports: [Icon],
  host: { class: 'contents' },
  template: `
    <div class="row row--between">
      <h2 class="title-card">{{ t('join.entry') }}</h2>
      <span class="quiet num">{{ t('join.step', { n: position(), total: steps().length }) }}</span>
    </div>
    <ol class="steps" aria-live="polite" aria-relevant="additions text">
      @for (step of steps(); track step.name; let n = $index) {
        <li
          [class]="step.state"
          [attr.aria-current]="step.state === 'now' ? 'step' : null"
          data-testid="join-step"
          [attr.data-step]="step.name"
          [attr.data-state]="step.state"
        >
          <span class="knot" aria-hidden="true">
            @switch (step.state) {
              @case ('done') {
                <zfc-icon name="check" [small]="true" />
              }
              @case ('fail') {
                <zfc-icon name="close" [small]="true" />
              }
              @case ('todo') {
                {{ n + 1 }}
              }
            }
          </span>
          <span class="what">{{ step.what }}</span>
          <time aria-live="off">{{ step.time }}</time>
          @if (step.more) {
            <span class="more">{{ step.more }}</span>
          }
        </li>
      }
    </ol>
  `,
})
export class JoinSteps {
  readonly #format = inject(Format);
  readonly #now = signal(Date.now());
  protected readonly t = inject(I18n).t;
  /** null before the request: the first steps are done, the next one waits for the user */
  readonly join = input.required<JoinView | null>();

  protected readonly steps = computed<readonly Step[]>(() => {
    const join = this.join();
    const local = LOCAL.map((name): Step => ({
      name,
      state: 'done',
      what: this.t(`join.steps.${name}.done`),
      more: '',
      time: '',
    }));
    if (join === null) {
      const begin: Step = {
        name: 'claim',
        state: 'now',
        what: this.t('join.begin.title'),
        more: this.t('join.begin.text'),
        time: '',
      };
      return [...local, begin, ...REMOTE.slice(1).map((name) => this.#step(name, 'todo', ''))];
    }
    const times = new Map(join.done.map(({ step, time }) => [step, time]));
    const pending = REMOTE.find((name) => !times.has(name));
    return [
      ...local,
      ...REMOTE.map((name) => {
        const time = times.get(name);
        if (time !== undefined) return this.#step(name, 'done', this.#format.time(time));
        if (join.failure !== null) return this.#step(name, name === pending ? 'fail' : 'todo', '');
        return this.#step(
          name,
          name === (join.current ?? pending) ? 'now' : 'todo',
          name === join.current ? this.#elapsed(join) : '',
        );
      }),
    ];
  });
  protected readonly position = computed(() => {
    const index = this.steps().findIndex((step) => step.state === 'now' || step.state === 'fail');
    return index < 0 ? this.steps().length : index + 1;
  });

  constructor() {
    const timer = setInterval(() => this.#now.set(Date.now()), 1_000);
    inject(DestroyRef).onDestroy(() => clearInterval(timer));
  }

  #step(name: JoinStep, state: StepState, time: string): Step {
    const wording = state === 'fail' ? 'now' : state;
    const more = state === 'now' ? this.t(`join.steps.${name}.more`) : '';
    return { name, state, what: this.t(`join.steps.${name}.${wording}`), more, time };
  }

  /** Minutes and seconds since the last step was done. */
  #elapsed(join: JoinView): string {
    const since = join.done.at(-1)?.time;
    if (since === undefined) return '';
    const seconds = Math.max(0, Math.floor((this.#now() - since) / 1_000));
    return `${String(Math.floor(seconds / 60))}:${String(seconds % 60).padStart(2, '0')}`;
  }
}
