import type { ElementRef } from '@angular/core';
import { Component, input, output, viewChild } from '@angular/core';

/**
 * A question that must be answered first. The browser's own dialog: it keeps the focus inside,
 * closes on Escape and gives the focus back, without styles that this app's policy would refuse.
 */
@Component({
  selector: 'zfc-modal',
  host: { class: 'contents' },
  template: `
    <dialog #dialog class="dialog" [attr.aria-label]="heading()" (close)="closed.emit()">
      <div class="stack">
        <h2>{{ heading() }}</h2>
        <ng-content />
      </div>
    </dialog>
  `,
})
export class Modal {
  readonly heading = input.required<string>();
  readonly closed = output();
  private readonly dialog = viewChild.required<ElementRef<HTMLDialogElement>>('dialog');

  show(): void {
    this.dialog().nativeElement.showModal();
  }

  /** The first control inside takes the focus: for contents that have just been exchanged. */
  focusInside(): void {
    this.dialog().nativeElement.querySelector<HTMLElement>('input, button')?.focus();
  }

  close(): void {
    this.dialog().nativeElement.close();
  }
}
