import { Component, computed, input } from '@angular/core';

const GROUP = /.{1,5}/g;

/** As it is read aloud and copied: groups of five digits with spaces. */
export function groupedDigits(digits: string): string {
  return (digits.match(GROUP) ?? []).join(' ');
}

/** Two members' safety number: twelve groups of five digits (docs/protocol.md section 10). */
@Component({
  selector: 'zfc-safety-number',
  host: { class: 'contents' },
  // The spaces are part of the text: it is read out and copied by hand in groups.
  template: `<p
    class="digits"
    [class.digits--sm]="small()"
    dir="ltr"
    data-testid="safety-number"
    [attr.data-digits]="digits()"
  >
    @for (group of groups(); track $index) {
      <span [textContent]="group"></span>{{ ' ' }}
    }
  </p>`,
})
export class SafetyNumber {
  readonly digits = input.required<string>();
  readonly small = input(false);
  protected readonly groups = computed(() => this.digits().match(GROUP) ?? []);
}
