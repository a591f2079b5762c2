import { describe, expect, it } from '@jest/globals';

import { after, KeptFiles } from './kept-files';

const POLICY = "default-src 'none'; script-src 'self'";
const NAMED = {
  policy: POLICY,
  atStart: { 'worker-A.js': 'sha384-a', 'libthemis.wasm': 'sha384-w' },
  later: { 'worker-chunk-B.js': 'sha384-b' },
};

type Answer = { ok?: boolean; policy?: string | null } | 'TypeError' | 'AbortError' | 'never';

function page(named: object | null): Document {
  const made = document.implementation.createHTMLDocument();
  if (named === null) return made;
  const block = made.createElement('script');
  block.id = 'kept-files';
  block.type = 'application/json';
  block.textContent = JSON.stringify(named);
  made.head.append(block);
  return made;
}

/** `answers`: by path, in the order in which it is asked for; the last one goes on. */
function files(
  answers: Record<string, readonly Answer[]>,
  named: object | null = NAMED,
  patienceMs?: number,
) {
  const asked: string[] = [];
  const times = new Map<string, number>();
  const ask = async (path: string, init: RequestInit): Promise<unknown> => {
    asked.push(`${path} ${String(init.cache)} ${String(init.integrity)} ${String(init.redirect)}`);
    const n = times.get(path) ?? 0;
    times.set(path, n + 1);
    const all = answers[path] ?? [{}];
    const answer = all[Math.min(n, all.length - 1)] ?? {};
    if (answer === 'TypeError') throw new TypeError('Failed to fetch');
    if (answer === 'never') {
      const { signal } = init;
      return new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error));
      });
    }
    if (answer === 'AbortError') throw new DOMException('gone', 'AbortError');
    const { ok = true, policy = POLICY } = answer;
    return { ok, headers: { get: () => policy } };
  };
  return { kept: KeptFiles.of(page(named), ask as unknown as typeof fetch, patienceMs), asked };
}

describe('files that the page checks', () => {
  it('are asked for once, as they are kept, with what the page names', async () => {
    const { kept, asked } = files({});
    await kept.atStart();
    expect(asked).toEqual(['/worker-A.js default sha384-a error', '/libthemis.wasm default sha384-w error']);
  });

  it.each<[string, Answer]>([
    ['of other content', 'TypeError'],
    ['without its policy', { policy: null }],
    ['under another policy', { policy: "default-src *; script-src 'self' 'unsafe-eval'" }],
    ['that is an error', { ok: false }],
  ])('are loaded past what is kept where that is one %s', async (_what, answer) => {
    const { kept, asked } = files({ '/worker-A.js': [answer, {}] });
    await kept.atStart();
    expect(asked).toContain('/worker-A.js reload sha384-a error');
    expect(asked).toHaveLength(3);
    const still = files({ '/worker-A.js': [answer] });
    await expect(still.kept.atStart()).rejects.toThrow('CLIENT_NOT_LOADED');
    expect(still.asked).toHaveLength(3);
  });

  it('may come with more policies, each of which holds, and WebAssembly with none', async () => {
    const { kept } = files({
      '/worker-A.js': [{ policy: `sandbox, ${POLICY}` }],
      '/libthemis.wasm': [{ policy: null }],
    });
    await kept.atStart();
  });

  it('fail as what is wrong, where it is not the file', async () => {
    await expect(files({ '/worker-A.js': ['AbortError'] }).kept.atStart()).rejects.toThrow('gone');
  });

  it('are waited for no longer than is bearable, from a server that answers and then stalls', async () => {
    const { kept, asked } = files({ '/worker-A.js': ['never'] }, NAMED, 20);
    await expect(kept.atStart()).rejects.toThrow('CLIENT_NOT_LOADED');
    expect(asked).toHaveLength(2);
  });

  it('that are loaded later are asked for once, and again after a failure', async () => {
    const { kept, asked } = files({ '/worker-chunk-B.js': ['TypeError', 'TypeError', {}] });
    await expect(Promise.all([kept.later(), kept.later()])).rejects.toThrow('CLIENT_NOT_LOADED');
    expect(asked).toHaveLength(2);
    await Promise.all([kept.later(), kept.later()]);
    await kept.later();
    expect(asked).toHaveLength(3);
  });

  it('are none where the page names none, as a developer’s server has it', async () => {
    const { kept, asked } = files({}, null);
    await Promise.all([kept.atStart(), kept.later()]);
    expect(asked).toEqual([]);
  });
});

describe('commands that wait', () => {
  const api = {
    word: 'of',
    said: (text: string) => Promise.resolve(`${text} ${api.word}`),
    other: () => Promise.resolve('at once'),
  };

  it('are run once it is time, with what they were given; others at once', async () => {
    const order: string[] = [];
    const ready = async (): Promise<void> => {
      order.push('ready');
    };
    const waiting = after(api, ['said'], ready);
    expect(await waiting.other()).toBe('at once');
    expect(order).toEqual([]);
    expect(await waiting.said('a word')).toBe('a word of');
    expect(order).toEqual(['ready']);
    expect(waiting.word).toBe('of');
  });

  it('are not run where it never will be', async () => {
    const waiting = after(api, ['said'], () => Promise.reject(new Error('CLIENT_NOT_LOADED')));
    await expect(waiting.said('a word')).rejects.toThrow('CLIENT_NOT_LOADED');
  });
});
