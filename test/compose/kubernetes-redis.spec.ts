/**
 * What the overlay redis-cluster runs, without Kubernetes: the StatefulSet's command with its arguments
 * and rights, the job's script and the probe's, in containers under the names that pods have.
 */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { at, render } from '../k8s/render.js';
import { until } from '../support/wait.js';
import { docker } from './stack.js';

jest.setTimeout(600_000);

const OVERLAY = resolve(import.meta.dirname, '../../k8s/overlays/redis-cluster');
const PROJECT = `0fc-test-cluster-${process.pid}`;
const PASSWORD = 'of-this-test';

const pods = Array.from({ length: 6 }, (_, index) => `redis-${index}`);
const container = (pod: string): string => `${PROJECT}-${pod}`;
const volume = container;

const objects = render(OVERLAY);
const stateful = at(
  objects.find(({ kind }) => kind === 'StatefulSet'),
  'spec.template.spec.containers.*',
)[0]!;
const words = (value: unknown): string[] => value as string[];
const nodes = at(stateful, 'env.*').find(({ name }) => name === 'NODES')!.value as string;
const IMAGE = stateful.image as string;

let keys: string;

/** Rights and mounts of the manifests. */
const asPod = (): string[] => [
  ...['--network', PROJECT, '--user', '999:999', '--read-only', '--cap-drop', 'ALL'],
  ...['--security-opt', 'no-new-privileges', '--tmpfs', '/tmp', '--env', `NODES=${nodes}`],
  ...['--volume', `${keys}:/keys/redis:ro`, '--volume', `${join(OVERLAY, 'scripts')}:/scripts:ro`],
];

async function startPod(pod: string): Promise<void> {
  const command = [...words(stateful.command), ...words(stateful.args)]
    .map((word) => (word === '$(POD_IP)' ? '"$(hostname -i)"' : `'${word}'`))
    .join(' ');
  await docker(
    ...['run', '--detach', '--name', container(pod), '--network-alias', `${pod}.redis`, ...asPod()],
    ...['--volume', `${volume(pod)}:/data:nocopy`, '--entrypoint', 'sh', IMAGE, '-c', `exec ${command}`],
  );
  await until(`${pod} to listen`, async () => {
    const state = await docker('inspect', '--format', '{{.State.Status}}', container(pod));
    const log = await docker('logs', container(pod));
    if (state !== 'running') throw new Error(`${pod} ended: ${log}`);
    return log.includes('Ready to accept connections');
  });
}

const makeCluster = (): Promise<string> =>
  docker('run', '--rm', ...asPod(), '--entrypoint', 'sh', IMAGE, '/scripts/create.sh');

const ask = (pod: string, ...command: string[]): Promise<string> =>
  docker('exec', '--env', `REDISCLI_AUTH=${PASSWORD}`, container(pod), 'redis-cli', '-c', ...command);

/** The readiness probe, as the kubelet asks it again and again. */
async function ready(pod: string): Promise<void> {
  let last = '';
  await until(
    () => `${pod} to be ready; ${last}`,
    async () => {
      try {
        await docker('exec', container(pod), ...words(at(stateful, 'readinessProbe.exec')[0]!.command));
        return true;
      } catch (error) {
        last = String(error);
        return false;
      }
    },
    180_000,
  );
}
const allReady = async (): Promise<void> => {
  await Promise.all(pods.map(ready));
};

/** Removed with what they hold, whether or not they were there. */
async function clear(): Promise<void> {
  const named = ['--all', '--quiet', '--filter', `name=^${PROJECT}-`];
  const left = (await docker('ps', ...named)).split('\n').filter((id) => id !== '');
  if (left.length > 0) await docker('rm', '--force', ...left);
}

beforeAll(async () => {
  keys = await mkdtemp(join(tmpdir(), '0fc-keys-'));
  await chmod(keys, 0o755);
  await writeFile(join(keys, 'password'), `${PASSWORD}\n`);
  await writeFile(join(keys, 'redis.conf'), `requirepass ${PASSWORD}\nmasterauth ${PASSWORD}\n`);
  await docker('network', 'create', PROJECT);
  for (const pod of pods) {
    await docker('volume', 'create', volume(pod));
    // As fsGroup does; `nocopy`, or the engine gives an empty volume the image's owner again.
    await docker(
      ...['run', '--rm', '--user', '0', '--volume', `${volume(pod)}:/data:nocopy`],
      ...['--entrypoint', 'chown', IMAGE, '999:999', '/data'],
    );
  }
});
afterAll(async () => {
  await clear();
  await docker('volume', 'rm', ...pods.map(volume));
  await docker('network', 'rm', PROJECT);
  await rm(keys, { recursive: true, force: true });
});

describe('the Redis Cluster of Kubernetes', () => {
  test('is made once of six nodes, three of them replicas', async () => {
    for (const pod of pods) await startPod(pod);
    await expect(docker('exec', container(pods[0]!), 'sh', '/scripts/ready.sh')).rejects.toThrow();
    expect(await makeCluster()).toContain('All 16384 slots covered');
    await allReady();
    const roles = await Promise.all(pods.map(async (pod) => (await ask(pod, 'role')).split('\n')[0]));
    expect(roles.toSorted()).toEqual(['master', 'master', 'master', 'slave', 'slave', 'slave']);
    expect(await makeCluster()).toContain('nothing to do');
  });

  test('finds itself again after all pods got new addresses at once', async () => {
    await ask(pods[0]!, 'set', 'kept', 'yes');
    const before = await ask(pods[0]!, 'cluster', 'myid');
    await docker('stop', ...pods.map(container));
    await clear();
    // In another order, so that each gets an address that another one had.
    for (const pod of [...pods.slice(1), pods[0]!]) await startPod(pod);
    // The probe goes on being asked: a node may take itself for ready before it has noticed.
    await until(
      'each node to know the address of each',
      async () => {
        await allReady();
        const seen = await Promise.all(pods.map((pod) => ask(pod, 'cluster', 'nodes')));
        return seen.every(
          (known) =>
            known.split('\n').length === pods.length && !/fail|noaddr|handshake|disconnected/.test(known),
        );
      },
      180_000,
    );
    expect(await ask(pods[0]!, 'cluster', 'myid')).toBe(before);
    for (const pod of pods) expect(await ask(pod, 'get', 'kept')).toBe('yes');
  });

  test('lets a replica take over from a killed master', async () => {
    const masters = await Promise.all(pods.map(async (pod) => (await ask(pod, 'role')).startsWith('master')));
    const killed = pods[masters.indexOf(true)]!;
    const others = pods.filter((pod) => pod !== killed);
    await docker('kill', container(killed));
    await until(
      'a third master',
      async () => {
        const roles = await Promise.all(others.map((pod) => ask(pod, 'role')));
        return roles.filter((role) => role.startsWith('master')).length === 3;
      },
      120_000,
    );
    await docker('start', container(killed));
    await allReady();
    expect(await ask(killed, 'role')).toMatch(/^slave/);
    expect(await ask(killed, 'get', 'kept')).toBe('yes');
  });
});
