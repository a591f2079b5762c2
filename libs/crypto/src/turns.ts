/**
 * Turns of the thread's loop. Promises alone let nothing else in: Chromium hashes what is short at once, and so does Node,
 * so that work of a thousand awaited steps keeps a link, other rooms and timers waiting until all of it is done.
 */

/** Steps of some milliseconds each (a wrap, a signature verified) that are done in one turn: far less than 50 ms. */
const STEPS_PER_TURN = 4;

/** Lets everything else in between the steps of long work. */
export class Turns {
  #steps = 0;

  /** To be awaited after each step. */
  async step(): Promise<void> {
    if (++this.#steps % STEPS_PER_TURN === 0) await nextTurn();
  }
}

/** A message to oneself is behind whatever has come before; a timer would wait for 4 ms in a browser. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
