import { afterNextRender, Directive, effect, ElementRef, inject, Injector } from '@angular/core';
import type { TimelineMessage } from '@0fc/client/api';

import { AppStore } from '../../core/app-store';
import { ConversationStore, isUnsent } from './conversation-store';

/** Rows that the arrow keys stop at: messages and alarms. */
const ROWS = 'li[tabindex]';

/**
 * Says which message the tools are shown for: the one under the mouse, touched, or reached by the
 * arrow keys. One listener for the whole thread, however long it is.
 */
@Directive({
  selector: '[zfcThreadKeys]',
  host: {
    '(pointerover)': 'over($event)',
    '(pointerleave)': 'left($event)',
    '(focusin)': 'focused($event.target)',
    '(focusout)': 'unfocused($event)',
    '(keydown)': 'pressed($event)',
  },
})
export class ThreadKeys {
  readonly #store = inject(AppStore);
  readonly #conversation = inject(ConversationStore);
  readonly #injector = inject(Injector);
  readonly #feed = inject<ElementRef<HTMLElement>>(ElementRef).nativeElement;

  constructor() {
    let picking: string | null = null;
    effect(() => {
      const before = picking;
      picking = this.#conversation.picking();
      // The picker goes, and the focus with it: back to the message, unless it has moved on.
      if (before !== null && picking === null) this.#focusLater(before);
    });
    effect(() => {
      const id = this.#conversation.answered();
      const line = this.#store.timeline().find((item) => item.id === id);
      // With the question its buttons go: back to the line, or to the conversation where that has gone too.
      if (id !== null && (line?.type !== 'message' || !isUnsent(line))) this.#focusLater(id);
    });
  }

  protected over(event: PointerEvent): void {
    if (event.pointerType !== 'mouse' || this.#busyInside()) return;
    this.#conversation.activate(this.#idAt(event.target));
  }

  protected left(event: PointerEvent): void {
    if (event.pointerType === 'mouse' && !this.#busyInside()) this.#conversation.activate(null);
  }

  protected focused(target: EventTarget | null): void {
    const id = this.#idAt(target);
    if (id !== null) this.#conversation.activate(id);
  }

  protected unfocused(event: FocusEvent): void {
    if (event.relatedTarget instanceof Node && this.#feed.contains(event.relatedTarget)) return;
    if (this.#conversation.picking() === null && event.relatedTarget !== null)
      this.#conversation.activate(null);
  }

  protected pressed(event: KeyboardEvent): void {
    if (!(event.target instanceof HTMLElement) || event.ctrlKey || event.metaKey || event.altKey) return;
    const row = event.target.closest<HTMLElement>(ROWS);
    if (event.key === 'Escape' && row !== null) {
      if (this.#conversation.picking() !== null) this.#conversation.pick(null);
      else if (row !== event.target) row.focus();
      else this.#feed.focus();
    } else if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
      if (!this.#stepTool(event.target, event.key === 'ArrowLeft' ? -1 : 1)) return;
    } else if (event.target !== row && event.target !== this.#feed) {
      // A button or a field inside a row has its own keys.
      return;
    } else if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
      this.#step(row, event.key === 'ArrowUp' ? -1 : 1);
    } else if (row === null || !this.#act(event.key, row)) {
      return;
    }
    event.preventDefault();
  }

  #step(row: HTMLElement | null, by: -1 | 1): void {
    const rows = [...this.#feed.querySelectorAll<HTMLElement>(ROWS)];
    const next = row === null ? rows.at(by === -1 ? -1 : 0) : rows[rows.indexOf(row) + by];
    next?.focus();
    next?.scrollIntoView({ block: 'nearest' });
  }

  /** Along the tools of one message. */
  #stepTool(tool: HTMLElement, by: -1 | 1): boolean {
    const tools = [...(tool.closest('.msg__tools')?.querySelectorAll<HTMLElement>('button') ?? [])];
    tools[tools.indexOf(tool) + by]?.focus();
    return tools.length > 0;
  }

  /** The keys of a message in focus. */
  #act(key: string, row: HTMLElement): boolean {
    const message = this.#messageOf(row.dataset.id);
    if (message === null || message.deleted) return false;
    const conversation = this.#conversation;
    if (key === 'Enter') row.querySelector<HTMLElement>('.msg__tools button')?.focus();
    else if (key === 'r') conversation.replyTo(message);
    else if (key === '+') conversation.pick(message.id);
    else if (key === 'c') void conversation.copy(message);
    else if (key === 'e') conversation.edit(message);
    else if (key === 'Delete') conversation.askDelete(message);
    else return false;
    return true;
  }

  #messageOf(id: string | undefined): TimelineMessage | null {
    const item = this.#store.timeline().find((one) => one.id === id);
    return item?.type === 'message' ? item : null;
  }

  #idAt(target: EventTarget | null): string | null {
    if (!(target instanceof Element)) return null;
    return target.closest<HTMLElement>('li[data-id]')?.dataset.id ?? null;
  }

  /** Whether a reaction is being chosen, or a tool has the focus: the mouse must not take them away. */
  #busyInside(): boolean {
    if (this.#conversation.picking() !== null) return true;
    return document.querySelector('.msg__tools:focus-within') !== null;
  }

  #focusLater(id: string): void {
    afterNextRender(
      () => {
        const { activeElement } = document;
        if (activeElement === null || activeElement === document.body)
          (document.getElementById(`item-${id}`) ?? this.#feed).focus({ preventScroll: true });
      },
      { injector: this.#injector },
    );
  }
}
