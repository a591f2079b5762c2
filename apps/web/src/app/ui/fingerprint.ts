import { Component, computed, input } from '@angular/core';

const GROUP = /.{1,4}/g;

/** A key's fingerprint, 64 bits, in groups of four: a part of it could be made to fit. Against another one, the groups that differ are marked. */
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

  protected readonly groups = computed(() => {
    const other = this.against()?.match(GROUP) ?? null;
    const all = this.value().match(GROUP) ?? [];
    return all.map((text, index) => ({ text, differs: other !== null && other[index] !== text }));
  });
}

/** As it is read aloud and copied: groups of four with spaces. */
export function groupedFingerprint(value: string): string {
  return (value.match(GROUP) ?? []).join(' ');
}
