import { Component, computed, input } from '@angular/core';
import { LinkifyIt } from 'linkify-it';

export interface TextToken {
  readonly text: string;
  /** http, https or mailto only, or null for plain text */
  readonly href: string | null;
}

// Only what names its scheme becomes a link: nothing is guessed, so nothing leads elsewhere than it says.
const linkify = new LinkifyIt({ fuzzyLink: false, fuzzyEmail: false }).add('ftp:', null).add('//', null);

export function tokensOf(text: string): readonly TextToken[] {
  const tokens: TextToken[] = [];
  let position = 0;
  for (const match of linkify.match(text) ?? []) {
    if (match.index > position) tokens.push({ text: text.slice(position, match.index), href: null });
    tokens.push({ text: match.text, href: match.url });
    position = match.lastIndex;
  }
  if (position < text.length) tokens.push({ text: text.slice(position), href: null });
  return tokens;
}

/** The text of a message: plain text and links, made as elements and never as HTML. */
@Component({
  selector: 'zfc-rich-text',
  host: { class: 'contents' },
  // Bound as text content, so that no space of this template gets between the tokens.
  template: `
    @for (token of tokens(); track $index) {
      @if (token.href; as href) {
        <a
          [href]="href"
          target="_blank"
          rel="noopener noreferrer nofollow"
          dir="ltr"
          [textContent]="token.text"
        ></a>
      } @else {
        <span [textContent]="token.text"></span>
      }
    }
  `,
})
export class RichText {
  readonly text = input.required<string>();
  protected readonly tokens = computed(() => tokensOf(this.text()));
}
