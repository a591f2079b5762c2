import { setupZonelessTestEnv } from 'jest-preset-angular/setup-env/zoneless/index.mjs';

setupZonelessTestEnv({ errorOnUnknownElements: true, errorOnUnknownProperties: true });

// jsdom has neither dialogs nor media queries nor a layout; the screens only need them to answer.
Object.assign(HTMLDialogElement.prototype, {
  showModal(this: HTMLDialogElement): void {
    this.open = true;
  },
  close(this: HTMLDialogElement): void {
    if (!this.open) return;
    this.open = false;
    setTimeout(() => this.dispatchEvent(new Event('close')));
  },
});
Object.assign(globalThis, { matchMedia: () => Object.assign(new EventTarget(), { matches: false }) });
Object.assign(Element.prototype, { scrollIntoView: () => undefined });
