import { Injectable, computed, inject } from '@angular/core';
import { clampTime } from '@0fc/protocol';

import { Preferences } from './preferences';

const DAY = 86_400_000;
const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

/** 24 hours in both languages: times line up, and read the same to everyone in the room. */
const CLOCK = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;

/** Of any number: a date beyond its limits would be none, and formatting it would throw. */
function dateOf(time: number): Date {
  return new Date(clampTime(time));
}

function startOfDay(time: number): number {
  return dateOf(time).setHours(0, 0, 0, 0);
}

/** Whole days between the calendar days of two times; summer time shifts an hour, never a day. */
function daysBetween(from: number, to: number): number {
  return Math.round((startOfDay(to) - startOfDay(from)) / DAY);
}

/**
 * Times as a person reads them, in the chosen language. All times are Unix milliseconds; any number is taken, and
 * shown as the nearest time from 2020 to 2100.
 */
@Injectable({ providedIn: 'root' })
export class Format {
  readonly #language = inject(Preferences).language;
  readonly #formats = computed(() => {
    const language = this.#language();
    const make = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
      new Intl.DateTimeFormat(language, options);
    return {
      time: make(CLOCK),
      seconds: make({ ...CLOCK, second: '2-digit' }),
      weekday: make({ weekday: 'short' }),
      shortDay: make({ day: 'numeric', month: 'short' }),
      day: make({ weekday: 'long', day: 'numeric', month: 'long' }),
      dayAndYear: make({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }),
      dayAndTime: make({ weekday: 'long', day: 'numeric', month: 'long', ...CLOCK }),
      list: new Intl.ListFormat(language),
      relative: new Intl.RelativeTimeFormat(language, { numeric: 'auto' }),
    };
  });

  /** 14:02 */
  time(time: number): string {
    return this.#formats().time.format(dateOf(time));
  }

  /** 14:02:31 */
  seconds(time: number): string {
    return this.#formats().seconds.format(dateOf(time));
  }

  /** Tuesday 24 November, with the year when it is another one */
  day(time: number): string {
    const date = dateOf(time);
    const sameYear = date.getFullYear() === new Date().getFullYear();
    return (sameYear ? this.#formats().day : this.#formats().dayAndYear).format(date);
  }

  /** For a list: the time today, then the weekday, then the date */
  short(time: number, now = Date.now()): string {
    const days = daysBetween(time, now);
    if (days <= 0) return this.time(time);
    return (days < 7 ? this.#formats().weekday : this.#formats().shortDay).format(dateOf(time));
  }

  /** In a sentence: the time alone today, else with its day */
  moment(time: number, now = Date.now()): string {
    return daysBetween(time, now) === 0 ? this.time(time) : this.#formats().dayAndTime.format(dateOf(time));
  }

  /** in 3 hours, tomorrow, 5 minutes ago */
  relative(time: number, now = Date.now()): string {
    const minutes = Math.round((clampTime(time) - clampTime(now)) / 60_000);
    const format = this.#formats().relative;
    if (Math.abs(minutes) < 60) return format.format(minutes, 'minute');
    if (Math.abs(minutes) < 48 * 60) return format.format(Math.round(minutes / 60), 'hour');
    return format.format(Math.round(minutes / 1440), 'day');
  }

  /** Amina, Jonas and Noé */
  list(names: readonly string[]): string {
    return this.#formats().list.format(names);
  }

  /** 42 MB */
  bytes(count: number): string {
    const power = Math.min(Math.floor(Math.log10(Math.max(count, 1)) / 3), UNITS.length - 1);
    return new Intl.NumberFormat(this.#language(), {
      style: 'unit',
      unit: UNITS[power] ?? 'byte',
      unitDisplay: 'short',
      maximumFractionDigits: power > 2 ? 1 : 0,
    }).format(count / 1000 ** power);
  }

  iso(time: number): string {
    return dateOf(time).toISOString();
  }

  sameDay(a: number, b: number): boolean {
    return daysBetween(a, b) === 0;
  }
}
