import { Component, computed, input } from '@angular/core';

const TINTS = 6;

/** The first letters of the first two words, or of the only one. */
export function monogram(name: string): string {
  const words = name
    .trim()
    .split(/\s+/)
    .filter((word) => /[\p{L}\p{N}]/u.test(word));
  const letters = words.slice(0, 2).map((word) => [...word].find((char) => /[\p{L}\p{N}]/u.test(char)) ?? '');
  return letters.join('').toLocaleUpperCase() || '·';
}

/** 1 to 6, from the key or the room id: a name cannot choose its colour. */
export function tintOf(identity: string): number {
  let sum = 0;
  for (const char of identity.slice(0, 16)) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 9973;
  return (sum % TINTS) + 1;
}

@Component({
  selector: 'zfc-avatar',
  host: { 'aria-hidden': 'true', '[class]': 'classes()' },
  template: `{{ letters() }}`,
})
export class Avatar {
  readonly name = input.required<string>();
  /** the key's fingerprint, or the room's id */
  readonly identity = input.required<string>();
  readonly room = input(false);
  /** a dot for a member who is here; a text beside says the same */
  readonly here = input(false);

  protected readonly letters = computed(() => monogram(this.name()));
  protected readonly classes = computed(
    () =>
      `avatar tint-${tintOf(this.identity())}${this.room() ? ' avatar--room' : ''}${this.here() ? ' avatar--here' : ''}`,
  );
}
