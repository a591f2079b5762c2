/**
 * Both overlays, rendered and judged offline: the API's schema, rules of ours, and what the relay itself
 * says of its settings. Each rule is shown to fail on an object that breaks it.
 */
import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { readConfig } from '../../apps/relay/src/config/environment.js';
import { at, isObject, render, type JsonObject, type KubeObject } from './render.js';
import { RULES } from './rules.js';
import { invalidValues, unknownFields } from './schema.js';

const ROOT = resolve(import.meta.dirname, '../..');
const OVERLAYS = ['single-redis', 'redis-cluster'] as const;
const folderOf = (overlay: string): string => join(ROOT, 'k8s/overlays', overlay);

const find = (objects: readonly KubeObject[], kind: string, name: string): KubeObject => {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) throw new Error(`no ${kind}/${name}`);
  return found;
};

/** The one object at a path. */
const only = (object: KubeObject, path: string): JsonObject => {
  const found = at(object, path)[0];
  if (found === undefined) throw new Error(`nothing at ${path}`);
  return found;
};

describe.each(OVERLAYS)('%s', (overlay) => {
  const objects = render(folderOf(overlay));

  test('is what the API takes: values and fields', () => {
    expect(invalidValues(objects)).toEqual([]);
    expect(unknownFields(objects)).toEqual([]);
  });

  test.each(Object.entries(RULES))('keeps the rule: %s', (_name, rule) => {
    expect(rule(objects)).toEqual([]);
  });

  test('gives the relay settings that it takes', () => {
    const relay = find(objects, 'Deployment', 'relay');
    const settings = only(find(objects, 'ConfigMap', 'relay-settings'), 'data') as Record<string, string>;
    const variables = at(relay, 'spec.template.spec.containers.*.env.*').map(({ name, value }) => [
      name,
      value,
    ]);
    const environment = { ...settings, ...(Object.fromEntries(variables) as Record<string, string>) };
    const config = readConfig(environment, { webDir: 'web' });
    expect(config).toMatchObject({
      privateKeyFile: '/keys/relay/relay.key',
      trustProxy: 1,
      publicHosts: ['localhost'],
    });
    expect(config.redis).toMatchObject({
      passwordFile: '/keys/redis/password',
      target: { kind: overlay === 'redis-cluster' ? 'cluster' : 'standalone' },
    });
    const mounted = at(relay, 'spec.template.spec.containers.*.volumeMounts.*').map(
      ({ mountPath }) => mountPath,
    );
    expect(mounted).toEqual(expect.arrayContaining(['/keys/relay', '/keys/redis', '/tmp']));
  });

  test('names each object once, in the one namespace', () => {
    const names = objects.map(
      ({ kind, metadata }) => `${String(metadata.namespace)} ${kind}/${metadata.name}`,
    );
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(objects.map(({ metadata }) => metadata.namespace))).toEqual(new Set(['0fc']));
  });

  test('needs only what docs/deploy.md tells how to make', () => {
    const guide = readFileSync(join(ROOT, 'docs/deploy.md'), 'utf8');
    for (const secret of ['relay-key', 'redis-password']) {
      expect(guide).toContain(`kubectl -n 0fc create secret generic ${secret}`);
    }
    expect(guide).toContain(`kubectl apply -k k8s/overlays/${overlay}`);
  });
});

test('the names in REDIS_CLUSTER, of the job and of the nodes are those of the pods', () => {
  const objects = render(folderOf('redis-cluster'));
  const { replicas, serviceName } = only(find(objects, 'StatefulSet', 'redis'), 'spec');
  const pods = Array.from({ length: Number(replicas) }, (_, index) => `redis-${index}.redis`);
  expect(serviceName).toBe('redis');
  const settings = only(find(objects, 'ConfigMap', 'relay-settings'), 'data');
  expect(settings.REDIS_CLUSTER).toBe(pods.map((pod) => `${pod}:6379`).join(','));
  for (const [kind, name] of [
    ['StatefulSet', 'redis'],
    ['Job', 'redis-cluster-init'],
  ] as const) {
    const nodes = at(find(objects, kind, name), 'spec.template.spec.containers.*.env.*').find(
      (variable) => variable.name === 'NODES',
    );
    expect(nodes?.value).toBe(pods.join(' '));
  }
});

/** How each rule is broken; the problem that it then tells. */
type Break = readonly [keyof typeof RULES, string, (objects: KubeObject[]) => void, string];

const POD = 'spec.template.spec';
const CONTAINER = 'spec.template.spec.containers.*';
const inRelay =
  (path: string, change: (found: JsonObject) => void) =>
  (objects: KubeObject[]): void => {
    change(only(find(objects, 'Deployment', 'relay'), path));
  };
const without =
  (path: string, field: string) =>
  (objects: KubeObject[]): void => {
    const found = only(find(objects, 'Deployment', 'relay'), path);
    if (found[field] === undefined) throw new Error(`${path}.${field} was not there`);
    Reflect.deleteProperty(found, field);
  };
const removing =
  (kind: string, name: string) =>
  (objects: KubeObject[]): void => {
    objects.splice(objects.indexOf(find(objects, kind, name)), 1);
  };
const policy =
  (name: string, spec: JsonObject) =>
  (objects: KubeObject[]): void => {
    Object.assign(only(find(objects, 'NetworkPolicy', name), 'spec'), spec);
  };

const BREAKS: readonly Break[] = [
  ['images', 'latest', inRelay(CONTAINER, (one) => (one.image = '0fc/relay:latest')), 'no fixed tag'],
  ['images', 'no tag', inRelay(CONTAINER, (one) => (one.image = 'registry:5000/relay')), 'no fixed tag'],
  ['resources', 'no limits', without(`${CONTAINER}.resources`, 'limits'), 'no limits.cpu, limits.memory'],
  ['unprivileged', 'root', inRelay(`${POD}.securityContext`, (one) => (one.runAsUser = 0)), 'run as root'],
  ['unprivileged', 'no seccomp', without(`${POD}.securityContext`, 'seccompProfile'), 'no seccomp'],
  ['unprivileged', 'token', without(POD, 'automountServiceAccountToken'), 'a token of the API'],
  ['unprivileged', 'host network', inRelay(POD, (one) => (one.hostNetwork = true)), 'hostNetwork'],
  [
    'unprivileged',
    'host path',
    inRelay(`${POD}.volumes.*`, (one) => (one.hostPath = { path: '/' })),
    'a path of its node',
  ],
  [
    'unprivileged',
    'escalation',
    without(`${CONTAINER}.securityContext`, 'allowPrivilegeEscalation'),
    'gain privileges',
  ],
  [
    'unprivileged',
    'root is written',
    without(`${CONTAINER}.securityContext`, 'readOnlyRootFilesystem'),
    'write',
  ],
  ['unprivileged', 'capabilities', without(`${CONTAINER}.securityContext`, 'capabilities'), 'capabilities'],
  ['probes', 'no readiness', without(CONTAINER, 'readinessProbe'), 'no readinessProbe'],
  ['probes', 'no liveness', without(CONTAINER, 'livenessProbe'), 'no livenessProbe'],
  [
    'probes',
    'life depends on Redis',
    inRelay(`${CONTAINER}.livenessProbe.httpGet`, (one) => (one.path = '/health/ready')),
    'while Redis is away',
  ],
  ['availability', 'no spread', without(POD, 'topologySpreadConstraints'), 'on one node'],
  ['availability', 'no budget', removing('PodDisruptionBudget', 'relay'), 'no disruption budget'],
  ['endsInOrder', 'no preStop', without(CONTAINER, 'lifecycle'), 'before the proxies know'],
  ['endsInOrder', 'short', inRelay(POD, (one) => (one.terminationGracePeriodSeconds = 30)), 'do not hold'],
  [
    'secrets',
    'a Secret',
    (objects) => objects.push({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'relay-key' } }),
    'in the repository',
  ],
  [
    'secrets',
    'a plain variable',
    inRelay(`${CONTAINER}.env.*`, (one) => Object.assign(one, { name: 'REDIS_PASSWORD', value: 'x' })),
    'REDIS_PASSWORD is plain',
  ],
  [
    'secrets',
    'a password in an address',
    (objects) => {
      only(find(objects, 'ConfigMap', 'relay-settings'), 'data').REDIS_URL = 'redis://:x@redis:6379';
    },
    'holds a password',
  ],
  [
    'secrets',
    'a password on a command line',
    (objects) => {
      only(find(objects, 'StatefulSet', 'redis'), CONTAINER).args = ['--requirepass', 'x'];
    },
    'command line',
  ],
  [
    'secrets',
    'a secret that nobody makes',
    inRelay(`${POD}.volumes.*.secret`, (one) => (one.secretName = 'other')),
    'nobody makes the secret other',
  ],
  ['references', 'no settings', removing('ConfigMap', 'relay-settings'), 'no ConfigMap relay-settings'],
  ['references', 'no account', removing('ServiceAccount', 'relay'), 'no ServiceAccount relay'],
  ['references', 'no service', removing('Service', 'relay'), 'no Service relay'],
  ['references', 'no Deployment', removing('Deployment', 'relay'), 'no Deployment relay'],
  [
    'references',
    'a volume that is not there',
    inRelay(`${CONTAINER}.volumeMounts.*`, (one) => (one.name = 'other')),
    'no volume other',
  ],
  [
    'references',
    'a port that is not there',
    (objects) => {
      only(find(objects, 'Service', 'relay'), 'spec.ports.*').targetPort = 'other';
    },
    'no port other',
  ],
  ['network', 'open by default', removing('NetworkPolicy', 'nothing-else'), 'is open unless'],
  ['network', 'Redis for all', policy('redis', { ingress: [{}] }), 'lets everybody in'],
  [
    'network',
    'Redis for a namespace',
    policy('redis', { ingress: [{ from: [{ namespaceSelector: {} }], ports: [{ port: 6379 }] }] }),
    'Redis for more',
  ],
  [
    'network',
    'metrics for every namespace',
    policy('relay', { ingress: [{ from: [{ namespaceSelector: {} }], ports: [{ port: 9103 }] }] }),
    'metrics for more',
  ],
  ['network', 'all may go out', policy('relay', { egress: [{}] }), 'everything out'],
  [
    'metricsArePrivate',
    'metrics on the public service',
    (objects) => {
      only(find(objects, 'Service', 'relay'), 'spec.ports.*').targetPort = 'metrics';
    },
    'metrics for everybody',
  ],
  [
    'hosts',
    'none is named',
    (objects) => {
      delete only(find(objects, 'ConfigMap', 'relay-settings'), 'data').PUBLIC_HOST;
    },
    'no PUBLIC_HOST',
  ],
  [
    'hosts',
    'another one is let in',
    (objects) => {
      only(find(objects, 'Ingress', 'relay'), 'spec.rules.*').host = 'chat.example.org';
    },
    '421 for chat.example.org',
  ],
];

describe('a rule tells what breaks it', () => {
  test.each(BREAKS)('%s: %s', (name, _what, change, problem) => {
    const objects = render(folderOf('single-redis'));
    change(objects);
    expect(RULES[name](objects).join('\n')).toContain(problem);
  });

  test('no rule is left out', () => {
    expect(new Set(BREAKS.map(([name]) => name))).toEqual(new Set(Object.keys(RULES)));
  });

  test('the schema: a wrong value, a missing field, an unknown kind, a field that does not exist', () => {
    const objects = render(folderOf('single-redis'));
    only(find(objects, 'Deployment', 'relay'), 'spec').revisionHistoryLimit = '5';
    delete only(find(objects, 'StatefulSet', 'redis'), 'spec').selector;
    objects.push({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'other' } });
    expect(invalidValues(objects).join('\n')).toMatch(
      /Deployment\/relay: .*integer[^]*StatefulSet\/redis: .*selector[^]*Secret\/other: no v1 Secret/,
    );
    const typo = render(folderOf('single-redis'));
    const container = only(find(typo, 'Deployment', 'relay'), CONTAINER);
    container.livenesProbe = container.livenessProbe;
    expect(unknownFields(typo).join('\n')).toContain('livenesProbe');
  });

  test('rendering: a field that an old kubectl does not know', () => {
    const folder = mkdtempSync(join(tmpdir(), '0fc-k8s-'));
    mkdirSync(join(folder, 'base'));
    writeFileSync(join(folder, 'kustomization.yaml'), 'namespace: a\nresources: []\nlabels: []\n');
    expect(() => render(folder)).toThrow('labels is not rendered by every kubectl');
    rmSync(folder, { recursive: true });
  });
});

/** Generated names end in a hash, which differs between versions of kustomize. */
function withoutHashes(text: string): string {
  return text.replace(/\b(relay-settings|redis-cluster-scripts)-[a-z0-9]{10}\b/g, '$1');
}

const kubectl = spawnSync('kubectl', ['version', '--client'], { encoding: 'utf8' });
/** Without one there is nothing to compare with; the objects above are tested all the same. */
const whereKubectlIs =
  kubectl.error === undefined && kubectl.status === 0 ? test.each(OVERLAYS) : test.skip.each(OVERLAYS);

describe('kubectl kustomize', () => {
  whereKubectlIs('renders %s as these tests do', (overlay) => {
    const { stdout, stderr, status } = spawnSync('kubectl', ['kustomize', folderOf(overlay)], {
      encoding: 'utf8',
    });
    expect({ status, stderr: stderr.replace(/^# Warning: .*\n/gm, '') }).toEqual({ status: 0, stderr: '' });
    const theirs = parseAllDocuments(withoutHashes(stdout)).map((document) => document.toJS() as KubeObject);
    const key = ({ kind, metadata }: KubeObject): string => `${kind}/${metadata.name}`;
    const sorted = (objects: KubeObject[]): KubeObject[] =>
      objects.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
    // kustomize 2.0 leaves the labels of topology spreads as they are written, which selects the same
    // pods, and merges settings into no annotations.
    const comparable = (objects: KubeObject[]): KubeObject[] => {
      for (const labels of objects.flatMap((one) =>
        at(one, 'spec.template.spec.topologySpreadConstraints.*.labelSelector.matchLabels'),
      )) {
        delete labels['app.kubernetes.io/part-of'];
      }
      for (const { metadata } of objects) {
        const { annotations } = metadata;
        if (isObject(annotations) && Object.keys(annotations).length === 0) delete metadata.annotations;
      }
      return sorted(objects);
    };
    expect(theirs.every((object) => isObject(object.metadata))).toBe(true);
    expect(comparable(theirs)).toEqual(comparable(render(folderOf(overlay))));
  });
});
