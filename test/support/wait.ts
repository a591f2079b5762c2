/** Waiting for conditions, never for time. The deadline is generous: it only ends a broken run. */

const POLL_MS = 25;

/** Resolves with the first value that is neither null, undefined nor false. Rejects naming what was waited for. */
export async function until<T>(
  what: string | (() => string),
  probe: () => T | Promise<T>,
  deadlineMs = 60_000,
): Promise<NonNullable<Exclude<T, false>>> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const value = await probe();
    if (value !== null && value !== undefined && value !== false)
      return value as NonNullable<Exclude<T, false>>;
    if (Date.now() > end) {
      throw new Error(`Waited ${String(deadlineMs)} ms in vain: ${typeof what === 'string' ? what : what()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
