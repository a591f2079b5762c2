import { Component, computed, input } from '@angular/core';

const GROUP = /.{1,4}/g;

/** A key's fingerprint in groups of four. Against another one, the groups that differ are marked. */
@Component({
  selector: 'zfc-fingerprint',
  host: { class: 'fp', '[class.fp--sm]': 'small()' },
  // The spaces are part of the text: what is copied by hand has them too.
  template: `
    @for (group of groups(); track $index) {
      <span [textContent]="$first ? '' : ' '"></span>
      @if (group.differs) {
        <del [textContent]="group.text"></del>
      } @else {
        <span [textContent]="group.text"></span>
      }
    }
  `,
})
export class Fingerprint {
  readonly value = input.required<string>();
  readonly against = input<string | null>(null);
  readonly small = input(false);
  /** the first two groups only, where the whole one is a click away */
  readonly short = input(false);

  protected readonly groups = computed(() => {
    const other = this.against()?.match(GROUP) ?? null;
    const all = this.value().match(GROUP) ?? [];
    return all
      .slice(0, this.short() ? 2 : all.length)
      .map((text, index) => ({ text, differs: other !== null && other[index] !== text }));
  });
}

/** As it is read aloud and copied: groups of four with spaces. */
export function groupedFingerprint(value: string): string {
  return (value.match(GROUP) ?? []).join(' ');
}
