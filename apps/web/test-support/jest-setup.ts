import { setupZonelessTestEnv } from 'jest-preset-angular/setup-env/zoneless/index.mjs';

setupZonelessTestEnv({ errorOnUnknownElements: true, errorOnUnknownProperties: true });

// jsdom has neither dialogs nor media queries nor a layout; the screens only need them to answer.
Object.assign(HTMLDialogElement.prototype, {
  showModal(this: HTMLDialogElement): void {
    this.open = true;
  },
  close(this: HTMLDialogElement): void {
    this.open = false;
  },
});
Object.assign(globalThis, { matchMedia: () => Object.assign(new EventTarget(), { matches: false }) });
Object.assign(Element.prototype, { scrollIntoView: () => undefined });
