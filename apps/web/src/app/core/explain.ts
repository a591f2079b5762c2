import { inject, Injectable } from '@angular/core';
import type { Failure } from '@0fc/client/api';

import type { Params } from './i18n';
import { I18n } from './i18n';

const HOUR = 3_600_000;
/** The sealed link refuses a clock from this many hours on. */
const LEAST_SKEW_HOURS = 24;

/** What a sentence takes, from what a failure carries: a person reads hours, not milliseconds. */
function readable({ code, params = {} }: Failure): Params {
  if (code !== 'CLOCK_WRONG') return params;
  const { skewMs } = params;
  const hours = typeof skewMs === 'number' ? Math.round(Math.abs(skewMs) / HOUR) : LEAST_SKEW_HOURS;
  return { ...params, hours: Math.max(hours, LEAST_SKEW_HOURS) };
}

/** Failures and alarms in words: what happened, and what can be done. */
@Injectable({ providedIn: 'root' })
export class Explain {
  readonly #i18n = inject(I18n);

  /** What the user can do; shown below a heading that states what happened. */
  remedy(failure: Failure): string {
    const key = `errors.${failure.code}`;
    return this.#i18n.has(key)
      ? this.#i18n.t(key, readable(failure))
      : this.#i18n.t('errors.UNKNOWN', { code: failure.code });
  }

  /** One heading per way in which a join can end. */
  refusal(code: string): string {
    const key = `join.refused.${code}`;
    return this.#i18n.t(this.#i18n.has(key) ? key : 'join.refused.other');
  }

  /** The whole, where there is no heading. */
  sentence(failure: Failure): string {
    const key = `join.refused.${failure.code}`;
    const needsHeading =
      this.#i18n.has(key) && !failure.code.startsWith('RELAY_') && !failure.code.startsWith('ROOM_');
    return needsHeading ? `${this.#i18n.t(key)}. ${this.remedy(failure)}` : this.remedy(failure);
  }

  alarm(
    code: string,
    params: Readonly<Record<string, string | number>>,
  ): { readonly title: string; readonly text: string } {
    const known = this.#i18n.has(`alarms.${code}.title`);
    const key = known ? `alarms.${code}` : 'alarms.UNKNOWN';
    const filled = {
      restored: 0,
      ...params,
      code,
      // A number to be read out, not an amount: without the marks between its thousands.
      report: String(params.report ?? ''),
      member: String(params.member ?? '') || this.#i18n.t('common.someone'),
    };
    const one = params.from !== undefined && params.from === params.to && this.#i18n.has(`${key}.textOne`);
    return {
      title: this.#i18n.t(`${key}.title`, filled),
      text: this.#i18n.t(`${key}.${one ? 'textOne' : 'text'}`, filled),
    };
  }
}
