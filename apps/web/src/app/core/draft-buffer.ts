/** Milliseconds without a key press after which a draft is stored. */
const PAUSE_MS = 500;

/** What is being written, per room: at hand at once in this page, and stored in the vault a moment later. */
export class DraftBuffer {
  readonly #save: (roomId: string, text: string) => Promise<unknown>;
  readonly #texts = new Map<string, string>();
  readonly #unsaved = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** `save` must not fail: a draft that cannot be stored is still in the field. */
  constructor(save: (roomId: string, text: string) => Promise<unknown>) {
    this.#save = save;
  }

  /** What was last typed in this page, else what the vault had (`stored`). */
  text(roomId: string, stored = ''): string {
    return this.#texts.get(roomId) ?? stored;
  }

  keep(roomId: string, text: string): void {
    this.#texts.set(roomId, text);
    this.#unsaved.add(roomId);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), PAUSE_MS);
  }

  /** Stores at once what waits. */
  async flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const rooms = [...this.#unsaved];
    this.#unsaved.clear();
    await Promise.all(rooms.map((roomId) => this.#save(roomId, this.text(roomId))));
  }

  clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#unsaved.clear();
    this.#texts.clear();
  }
}
