/**
 * A page in a browser that Playwright does not drive (docs/decisions/0044): what a driver must be able to do, and a hand on top of
 * it. Keys and clicks are the browser's own input, not events that a script makes up.
 */
import { until } from '../support/wait.js';

/** W3C WebDriver, as BiDi over a socket or classic over HTTP. */
export interface Driver {
  /** Goes to an address; resolves once it is loaded. */
  open(url: string): Promise<void>;
  /** What a JavaScript expression of the page comes to, a promise being awaited: always a text. */
  evaluate(expression: string): Promise<string>;
  /** Performs actions of input sources, in the form that both protocols share. */
  perform(sources: readonly object[]): Promise<void>;
}

/** Code points of keys without a character, as W3C WebDriver numbers them. */
export const KEY = { enter: '\uE007', arrowUp: '\uE013', delete: '\uE017' } as const;

interface Spot {
  readonly x: number;
  readonly y: number;
}

/**
 * The first element of a test id that is seen, and has the text where one is given, brought into view: its middle, if a click there
 * would reach it. Stands alone, as all that goes into a page.
 */
function spotOf(id: string, text: string): Spot | 'absent' | 'covered' {
  for (const element of document.querySelectorAll(`[data-testid="${id}"]`)) {
    if (!(element instanceof HTMLElement) || !element.textContent.includes(text)) continue;
    if (!element.checkVisibility({ visibilityProperty: true })) continue;
    element.scrollIntoView({ block: 'center', behavior: 'instant' });
    const { left, top, width, height } = element.getBoundingClientRect();
    const [x, y] = [Math.floor(left + width / 2), Math.floor(top + height / 2)];
    const hit = document.elementFromPoint(x, y);
    const disabled = 'disabled' in element && element.disabled === true;
    return hit !== null && element.contains(hit) && !disabled ? { x, y } : 'covered';
  }
  return 'absent';
}

function focusOn(id: string, text: string): boolean {
  for (const element of document.querySelectorAll(`[data-testid="${id}"]`)) {
    if (!(element instanceof HTMLElement) || !element.textContent.includes(text)) continue;
    element.focus();
    return document.activeElement === element;
  }
  return false;
}

function selectFocused(): boolean {
  const field = document.activeElement;
  if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) return false;
  field.select();
  return true;
}

function attributeOf(id: string, name: string): string | null {
  return document.querySelector(`[data-testid="${id}"]`)?.getAttribute(name) ?? null;
}

function valueOf(id: string): string {
  const field = document.querySelector(`[data-testid="${id}"]`);
  return field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement ? field.value : '';
}

export class Page {
  readonly #driver: Driver;

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  open(url: string): Promise<void> {
    return this.#driver.open(url);
  }

  /** What a function that stands alone gives in the page, awaited; parameters and result are plain JSON. */
  async evaluate<A extends readonly unknown[], R>(run: (...parameters: A) => R, ...parameters: A) {
    const called = `(${run.toString()})(...${JSON.stringify(parameters)})`;
    const told = await this.#driver.evaluate(`(async () => JSON.stringify((await ${called}) ?? null))()`);
    return JSON.parse(told) as Awaited<R>;
  }

  async #spot(id: string, text: string): Promise<Spot> {
    let last = '';
    return until(
      () => `${id} ${text} to be within reach: ${last}`,
      async () => {
        const spot = await this.evaluate(spotOf, id, text);
        const before = last;
        last = JSON.stringify(spot);
        // At rest: twice in the same place.
        return typeof spot === 'object' && last === before && spot;
      },
    );
  }

  /** Waits until it is seen and within reach. @param text that it has */
  async see(id: string, text = ''): Promise<void> {
    await this.#spot(id, text);
  }

  async isSeen(id: string, text = ''): Promise<boolean> {
    return (await this.evaluate(spotOf, id, text)) !== 'absent';
  }

  /** Waits until nothing of that test id is seen. */
  async gone(id: string, text = ''): Promise<void> {
    await until(`${id} ${text} to be gone`, async () => !(await this.isSeen(id, text)));
  }

  async click(id: string, text = ''): Promise<void> {
    const spot = await this.#spot(id, text);
    const actions = [
      { type: 'pointerMove', ...spot, duration: 0, origin: 'viewport' },
      { type: 'pointerDown', button: 0 },
      { type: 'pointerUp', button: 0 },
    ];
    const parameters = { pointerType: 'mouse' };
    await this.#driver.perform([{ type: 'pointer', id: 'mouse', parameters, actions }]);
  }

  /** Gives an element the focus, as moving there with the keyboard does. */
  async focus(id: string, text = ''): Promise<void> {
    await until(`${id} ${text} to have the focus`, () => this.evaluate(focusOn, id, text));
  }

  /** Types where the focus is: characters, or keys of {@link KEY}. */
  async type(text: string): Promise<void> {
    const actions = [...text].flatMap((value) => [
      { type: 'keyDown', value },
      { type: 'keyUp', value },
    ]);
    await this.#driver.perform([{ type: 'key', id: 'keyboard', actions }]);
  }

  /** Types into a field, in place of what it holds. */
  async fill(id: string, text: string): Promise<void> {
    await this.click(id);
    await until(`${id} to be written in`, () => this.evaluate(selectFocused));
    await this.type(text);
    await until(`${id} to have what was typed`, async () => (await this.evaluate(valueOf, id)) === text);
  }

  async value(id: string): Promise<string> {
    return until(`${id} to have a value`, async () => (await this.evaluate(valueOf, id)) || null);
  }

  async attribute(id: string, name: string): Promise<string | null> {
    return this.evaluate(attributeOf, id, name);
  }
}
