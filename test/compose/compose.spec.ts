/**
 * docker-compose.yml with three relays: five members through the proxy, a browser, one relay killed
 * while they talk, all restarted, the whole taken down and put up again.
 */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { launch, Profile } from '../e2e/profile.js';
import { MemberProcess } from '../support/member-process.js';
import { Talk } from '../support/talk.js';
import { docker, Stack } from './stack.js';

// An image is built, on a machine with two cores.
jest.setTimeout(1_800_000);

const RELAYS = 3;
const ROTATE_EVERY = 7;

let stack: Stack;
const everybody: MemberProcess[] = [];
const talk = new Talk();

beforeAll(async () => {
  stack = await Stack.create();
  await stack.up(RELAYS);
});
afterAll(async () => {
  await Promise.all(everybody.map((member) => member.remove()));
  await stack.remove();
});

async function comes(name: string, owner: MemberProcess): Promise<void> {
  const member = await MemberProcess.create(name, stack.url);
  everybody.push(member);
  await member.join(await owner.invite());
}

interface Inspected {
  readonly Config: { readonly Env: readonly string[]; readonly User: string };
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean;
    readonly Privileged: boolean;
    readonly CapDrop: readonly string[] | null;
    readonly SecurityOpt: readonly string[] | null;
  };
  readonly NetworkSettings: { readonly Ports: Readonly<Record<string, readonly unknown[] | null>> };
}
const inspect = async (id: string): Promise<Inspected> =>
  (JSON.parse(await docker('inspect', id)) as [Inspected])[0];
const published = ({ NetworkSettings }: Inspected): string[] =>
  Object.entries(NetworkSettings.Ports).flatMap(([port, hosts]) => (hosts === null ? [] : [port]));

describe('compose', () => {
  test('runs three relays without rights, over roots that cannot be written', async () => {
    const relays = await stack.containers('relay');
    expect(relays).toHaveLength(RELAYS);
    for (const id of relays) {
      const { Config, HostConfig } = await inspect(id);
      expect(Config.User).toBe('node');
      expect(HostConfig).toMatchObject({
        ReadonlyRootfs: true,
        Privileged: false,
        CapDrop: ['ALL'],
        SecurityOpt: [expect.stringMatching(/no-new-privileges/)],
      });
      await expect(docker('exec', id, 'touch', '/app/x')).rejects.toThrow('Read-only file system');
    }
  });

  test('publishes the proxy alone, and shows no secret to whoever may inspect', async () => {
    const [redis] = await stack.containers('redis');
    const [proxy] = await stack.containers('proxy');
    const [relay] = await stack.containers('relay');
    expect(published(await inspect(redis!))).toEqual([]);
    expect(published(await inspect(relay!))).toEqual([]);
    expect(published(await inspect(proxy!)).toSorted()).toEqual(['443/tcp', '80/tcp']);

    const password = await docker('exec', redis!, 'cat', '/keys/redis/password');
    expect(password).toMatch(/^[\w-]{43}$/);
    for (const id of [redis!, relay!, proxy!]) {
      expect(await docker('inspect', id)).not.toContain(password);
    }
    expect(await docker('exec', redis!, 'redis-cli', 'ping')).toContain('NOAUTH');
    // The proxy is not in Redis' network: there is no such name for it.
    await expect(docker('exec', proxy!, 'getent', 'hosts', 'redis')).rejects.toThrow();
  });

  test('Redis keeps rooms on disk and never throws one away', async () => {
    const [redis] = await stack.containers('redis');
    const setting = (name: string) =>
      docker(
        'exec',
        redis!,
        'sh',
        '-c',
        `REDISCLI_AUTH=$(cat /keys/redis/password) redis-cli config get ${name}`,
      );
    expect(await setting('appendonly')).toBe('appendonly\nyes');
    expect(await setting('maxmemory-policy')).toBe('maxmemory-policy\nnoeviction');
  });

  test('five members talk through the proxy while a relay is killed', async () => {
    const owner = await MemberProcess.create('Amina', stack.url);
    everybody.push(owner);
    await owner.createRoom('Rive droite', ROTATE_EVERY);
    for (const name of ['Tomás', 'Inès']) await comes(name, owner);
    await talk.round(everybody);
    for (const name of ['Noé', 'Jonas']) await comes(name, owner);
    await talk.round(everybody);

    const [killed] = await stack.containers('relay');
    const texts: string[] = [];
    for (let turn = 0; turn < 6; turn++) {
      if (turn === 2) await docker('kill', killed!);
      for (const member of everybody) texts.push(await talk.say(member));
    }
    await talk.arrived(texts, everybody);
    expect(await stack.containers('relay')).toHaveLength(RELAYS - 1);
    await talk.judge(everybody);
    expect(owner.epoch).toBeGreaterThan(2);
  });

  test('a browser joins, reads and writes, with nothing to complain of', async () => {
    const browser = await launch();
    try {
      const guest = await Profile.create(browser, 'Chiara', stack.url);
      await guest.open(await everybody[0]!.invite());
      await guest.firstPassphrase();
      await guest.startJoin();
      await guest.enter();
      // Who writes before it has read of the admission is asked first.
      await Promise.all(everybody.map((member) => member.sees('the guest', () => member.named('Chiara'))));
      const texts = [await talk.say(everybody[1]!), await talk.say(everybody[2]!)];
      await guest.has(...texts);
      await guest.say('a word from a browser');
      await Promise.all(everybody.map((member) => member.has('a word from a browser')));
      expect(guest.complaints).toEqual([]);
      expect(await guest.alarms()).toBe(0);
    } finally {
      await browser.close();
    }
  });

  test('all restarted, rooms and history are as before, and the talk goes on', async () => {
    const key = await stack.publicKey();
    const before = await Promise.all(everybody.map(async (member) => (await member.history()).shown));
    await stack.compose('restart');
    await stack.compose('up', '-d', '--scale', `relay=${RELAYS}`);
    await stack.ready();
    expect(await stack.publicKey()).toBe(key);
    expect(await stack.containers('relay')).toHaveLength(RELAYS);
    for (const [index, member] of everybody.entries()) {
      await member.restart();
      await member.live();
      const { shown, alarms } = await member.history();
      // As it was, entry by entry; what may follow is a rotation that was due when all was restarted.
      const known = before[index]!;
      expect(shown.slice(0, known.length)).toEqual(known);
      expect(shown.slice(known.length).filter(({ type }) => type !== 'rotated')).toEqual([]);
      expect(alarms).toEqual([]);
    }
    await talk.round(everybody);
  });

  test('taken down and put up again, key, password and rooms are those of the first start', async () => {
    const key = await stack.publicKey();
    const link = await everybody[0]!.invite();
    await stack.compose('down');
    await stack.up(1);
    expect(await stack.publicKey()).toBe(key);
    expect(await stack.compose('logs', '--no-color', 'init')).toContain('/keys/relay/relay.key is there');
    // What members show is their own vaults'; who comes now has only what Redis kept.
    const late = await MemberProcess.create('Lucía', stack.url);
    everybody.push(late);
    await late.join(link);
    await talk.round(everybody);
  });
});
