/** What is asked of every rendered object beyond what the API's schema asks. */
import { at, isObject, type Json, type JsonObject, type KubeObject } from './render.js';

/** Problems, each naming its object; none: kept. */
export type Rule = (objects: readonly KubeObject[]) => string[];

/** Made by the commands of docs/deploy.md. */
const SECRETS = ['relay-key', 'redis-password'];
const RELAY_PORT = 5103;
const METRICS_PORT = 9103;

const nameOf = ({ kind, metadata }: KubeObject): string => `${kind}/${metadata.name}`;
const listed = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);

/** For a problem's text. */
const word = (value: Json | undefined): string =>
  typeof value === 'string' ? value : JSON.stringify(value ?? null);

interface Workload {
  readonly name: string;
  readonly object: KubeObject;
  readonly template: JsonObject;
  readonly pod: JsonObject;
  readonly containers: JsonObject[];
}

/** The objects that start pods. */
function workloads(objects: readonly KubeObject[], kinds = ['Deployment', 'StatefulSet', 'Job']): Workload[] {
  return objects
    .filter(({ kind }) => kinds.includes(kind))
    .map((object) => {
      const template = at(object, 'spec.template')[0] ?? {};
      const pod = at(template, 'spec')[0] ?? {};
      const containers = [...at(pod, 'containers.*'), ...at(pod, 'initContainers.*')];
      return { name: nameOf(object), object, template, pod, containers };
    });
}

function eachContainer(
  objects: readonly KubeObject[],
  check: (container: JsonObject, pod: JsonObject) => string | null,
): string[] {
  return workloads(objects).flatMap(({ name, pod, containers }) =>
    containers.flatMap((container) => {
      const problem = check(container, pod);
      return problem === null ? [] : [`${name} ${word(container.name)}: ${problem}`];
    }),
  );
}

function matches(selector: JsonObject | undefined, labels: JsonObject | undefined): boolean {
  return selector !== undefined && Object.entries(selector).every(([key, value]) => labels?.[key] === value);
}
const labelsOf = ({ template }: Workload): JsonObject | undefined => at(template, 'metadata.labels')[0];

const images: Rule = (objects) =>
  eachContainer(objects, ({ image }) =>
    /^[^:@\s]+(:\d+\/[^:@\s]+)?(:(?!latest$)[\w.-]+|@sha256:[0-9a-f]{64})$/.test(word(image))
      ? null
      : `the image ${word(image)} has no fixed tag`,
  );

const resources: Rule = (objects) =>
  eachContainer(objects, (container) => {
    const lacking = ['requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'].filter((path) => {
      const [kind = '', what = ''] = path.split('.');
      return at(container, `resources.${kind}`)[0]?.[what] === undefined;
    });
    return lacking.length === 0 ? null : `no ${lacking.join(', ')}`;
  });

const unprivileged: Rule = (objects) => [
  ...eachContainer(objects, (container) => {
    const context = at(container, 'securityContext')[0] ?? {};
    if (context.allowPrivilegeEscalation !== false) return 'may gain privileges';
    if (context.readOnlyRootFilesystem !== true) return 'may write to its root';
    if (context.runAsNonRoot !== true) return 'may run as root';
    if (context.privileged === true) return 'is privileged';
    if (!listed(at(context, 'capabilities')[0]?.drop).includes('ALL')) return 'keeps capabilities';
    return null;
  }),
  ...workloads(objects).flatMap(({ name, pod }) => {
    const context = at(pod, 'securityContext')[0] ?? {};
    const problems: string[] = [];
    if (context.runAsNonRoot !== true || !(Number(context.runAsUser) > 0)) problems.push('may run as root');
    if (at(context, 'seccompProfile')[0]?.type !== 'RuntimeDefault') problems.push('has no seccomp profile');
    if (pod.automountServiceAccountToken !== false) problems.push('has a token of the API');
    for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) {
      if (pod[field] !== undefined) problems.push(`shares ${field}`);
    }
    if (at(pod, 'volumes.*.hostPath').length > 0) problems.push('mounts a path of its node');
    return problems.map((problem) => `${name}: ${problem}`);
  }),
];

const probes: Rule = (objects) =>
  workloads(objects, ['Deployment', 'StatefulSet']).flatMap(({ name, pod }) =>
    at(pod, 'containers.*').flatMap((container) => {
      const lacking = ['startupProbe', 'livenessProbe', 'readinessProbe'].filter(
        (probe) => !isObject(container[probe]),
      );
      const problems = lacking.map((probe) => `no ${probe}`);
      if (at(container, 'livenessProbe.httpGet')[0]?.path === '/health/ready') {
        problems.push('is restarted while Redis is away');
      }
      return problems.map((problem) => `${name} ${word(container.name)}: ${problem}`);
    }),
  );

/** Pods that stand in for each other stand apart, and end in order. */
const availability: Rule = (objects) =>
  workloads(objects, ['Deployment', 'StatefulSet']).flatMap((workload) => {
    const { name, object, pod } = workload;
    const spec = at(object, 'spec')[0] ?? {};
    if (spec.replicas === 1) return [];
    const problems: string[] = [];
    const spread = at(pod, 'topologySpreadConstraints.*');
    if (!spread.some(({ topologyKey }) => topologyKey === 'kubernetes.io/hostname')) {
      problems.push('may put all its pods on one node');
    }
    if (spread.some((one) => !matches(at(one, 'labelSelector.matchLabels')[0], labelsOf(workload)))) {
      problems.push('spreads other pods than its own');
    }
    const budgets = objects.filter(({ kind }) => kind === 'PodDisruptionBudget');
    if (!budgets.some((budget) => matches(at(budget, 'spec.selector.matchLabels')[0], labelsOf(workload)))) {
      problems.push('has no disruption budget');
    }
    return problems.map((problem) => `${name}: ${problem}`);
  });

/** preStop and the relay's own grace fit into what Kubernetes gives. */
const endsInOrder: Rule = (objects) =>
  workloads(objects, ['Deployment']).flatMap(({ name, pod }) => {
    const command = listed(at(pod, 'containers.*.lifecycle.preStop.exec')[0]?.command);
    const before = command[0] === 'sleep' ? Number(command[1]) : 0;
    if (!(before > 0)) return [`${name}: ends before the proxies know`];
    const settings = objects.find(
      ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'relay-settings',
    );
    const grace = Number(at(settings, 'data')[0]?.SHUTDOWN_GRACE_MS) / 1_000;
    const given = Number(pod.terminationGracePeriodSeconds);
    return given >= before + grace + 5 ? [] : [`${name}: ${given} s do not hold ${before} s and ${grace} s`];
  });

const NAMES_A_SECRET = /(PASSWORD|SECRET|TOKEN|PRIVATE_KEY|CREDENTIAL)/i;

/** Secrets by reference alone, and only those that the documented commands make. */
const secrets: Rule = (objects) => {
  const problems: string[] = [];
  for (const object of objects) {
    if (object.kind === 'Secret') problems.push(`${nameOf(object)}: a secret in the repository`);
    if (object.kind !== 'ConfigMap') continue;
    for (const [key, value] of Object.entries(at(object, 'data')[0] ?? {})) {
      if (NAMES_A_SECRET.test(key) && !key.endsWith('_FILE'))
        problems.push(`${nameOf(object)}: ${key} is plain`);
      if (/:\/\/[^/\s]*:[^/\s]*@/.test(word(value)))
        problems.push(`${nameOf(object)}: ${key} holds a password`);
    }
  }
  for (const { name, pod, containers } of workloads(objects)) {
    for (const variable of containers.flatMap((container) => at(container, 'env.*'))) {
      const key = word(variable.name);
      if (variable.value !== undefined && NAMES_A_SECRET.test(key) && !key.endsWith('_FILE')) {
        problems.push(`${name}: ${key} is plain`);
      }
    }
    for (const container of containers) {
      if (
        /--?(requirepass|masterauth|a|pass)\b/.test(
          [...listed(container.command), ...listed(container.args)].map(word).join(' '),
        )
      ) {
        problems.push(`${name}: a password on a command line`);
      }
    }
    const named = [
      ...at(pod, 'volumes.*.secret').map(({ secretName }) => secretName),
      ...containers.flatMap((one) =>
        at(one, 'env.*.valueFrom.secretKeyRef').map((reference) => reference.name),
      ),
      ...containers.flatMap((one) => at(one, 'envFrom.*.secretRef').map((reference) => reference.name)),
    ];
    for (const secret of named) {
      if (!SECRETS.includes(word(secret))) problems.push(`${name}: nobody makes the secret ${word(secret)}`);
    }
  }
  return problems;
};

/** Whatever one object names of another is there. */
const references: Rule = (objects) => {
  const problems: string[] = [];
  const has = (kind: string, name: Json | undefined): boolean =>
    objects.some((object) => object.kind === kind && object.metadata.name === name);
  const pods = workloads(objects);
  for (const { name, object, pod, containers } of pods) {
    const maps = [
      ...at(pod, 'volumes.*.configMap').map((map) => map.name),
      ...containers.flatMap((container) => at(container, 'envFrom.*.configMapRef').map((map) => map.name)),
    ];
    for (const map of maps) if (!has('ConfigMap', map)) problems.push(`${name}: no ConfigMap ${word(map)}`);
    if (pod.serviceAccountName !== undefined && !has('ServiceAccount', pod.serviceAccountName)) {
      problems.push(`${name}: no ServiceAccount ${word(pod.serviceAccountName)}`);
    }
    const service = at(object, 'spec')[0]?.serviceName;
    if (service !== undefined && !has('Service', service))
      problems.push(`${name}: no Service ${word(service)}`);
    const volumes = [
      ...at(pod, 'volumes.*').map((volume) => volume.name),
      ...at(object, 'spec.volumeClaimTemplates.*.metadata').map((claim) => claim.name),
    ];
    for (const mount of containers.flatMap((container) => at(container, 'volumeMounts.*'))) {
      if (!volumes.includes(mount.name)) problems.push(`${name}: no volume ${word(mount.name)}`);
    }
  }
  for (const object of objects) {
    const name = nameOf(object);
    const selector = at(object, object.kind === 'Service' ? 'spec.selector' : 'spec.selector.matchLabels')[0];
    const selects = ['Service', 'PodDisruptionBudget', 'Deployment', 'StatefulSet'].includes(object.kind);
    const selected = pods.filter((pod) => matches(selector, labelsOf(pod)));
    if (selects && selected.length === 0) problems.push(`${name}: selects no pod`);
    if (object.kind === 'Service') {
      const named = selected.flatMap(({ containers }) =>
        containers.flatMap((container) => at(container, 'ports.*').map((port) => port.name)),
      );
      for (const { targetPort } of at(object, 'spec.ports.*')) {
        if (!named.includes(targetPort)) problems.push(`${name}: no port ${word(targetPort)}`);
      }
    }
    for (const { name: service } of at(object, 'spec.rules.*.http.paths.*.backend.service')) {
      if (!has('Service', service)) problems.push(`${name}: no Service ${word(service)}`);
    }
    for (const { kind, name: target } of at(object, 'spec.scaleTargetRef')) {
      if (!has(word(kind), target)) problems.push(`${name}: no ${word(kind)} ${word(target)}`);
    }
  }
  return problems;
};

/** Closed unless opened; Redis for pods of ours, metrics for a labelled namespace. */
const network: Rule = (objects) => {
  const problems: string[] = [];
  const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy');
  const closed = policies.filter((policy) => {
    const spec = at(policy, 'spec')[0] ?? {};
    const both = ['Ingress', 'Egress'].every((type) => listed(spec.policyTypes).includes(type));
    return both && spec.ingress === undefined && spec.egress === undefined;
  });
  for (const workload of workloads(objects)) {
    const shut = closed.some((policy) =>
      matches(at(policy, 'spec.podSelector.matchLabels')[0], labelsOf(workload)),
    );
    if (!shut) problems.push(`${workload.name}: is open unless a policy closes it`);
  }
  for (const policy of policies) {
    for (const rule of at(policy, 'spec.ingress.*')) {
      const peers = at(rule, 'from.*');
      const ports = at(rule, 'ports.*').map(({ port }) => port);
      if (peers.length === 0 || ports.length === 0) problems.push(`${nameOf(policy)}: lets everybody in`);
      const fromNamespaces = peers.every(
        (peer) => Object.keys(at(peer, 'namespaceSelector.matchLabels')[0] ?? {}).length > 0,
      );
      if (ports.includes(METRICS_PORT) && (!fromNamespaces || ports.length > 1)) {
        problems.push(`${nameOf(policy)}: metrics for more than a labelled namespace`);
      }
      const fromPods = peers.every(
        (peer) => peer.namespaceSelector === undefined && peer.podSelector !== undefined,
      );
      if (!ports.includes(METRICS_PORT) && !ports.includes(RELAY_PORT) && !fromPods) {
        problems.push(`${nameOf(policy)}: Redis for more than pods of ours`);
      }
    }
    for (const rule of at(policy, 'spec.egress.*')) {
      if (at(rule, 'to.*').length === 0 || at(rule, 'ports.*').length === 0) {
        problems.push(`${nameOf(policy)}: lets everything out`);
      }
    }
  }
  return problems;
};

/** The metrics' port is nobody's who comes through the Ingress. */
const metricsArePrivate: Rule = (objects) =>
  objects
    .filter(({ kind }) => kind === 'Ingress')
    .flatMap((ingress) =>
      at(ingress, 'spec.rules.*.http.paths.*.backend.service').flatMap(({ name }) => {
        const service = objects.find(({ kind, metadata }) => kind === 'Service' && metadata.name === name);
        const open = at(service, 'spec.ports.*').some(
          ({ port, targetPort }) => port === METRICS_PORT || targetPort === 'metrics',
        );
        return open ? [`${nameOf(ingress)}: metrics for everybody`] : [];
      }),
    );

/** A host that the Ingress lets in and that the relays do not know is a page that nobody can open. */
const hosts: Rule = (objects) => {
  const settings = objects.filter(
    ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'relay-settings',
  );
  const named = settings.flatMap((one) => at(one, 'data').map(({ PUBLIC_HOST: value }) => value));
  const known = new Set(named.flatMap((value) => (typeof value === 'string' ? value.split(',') : [])));
  if (known.size === 0) return ['the relays answer to any address: no PUBLIC_HOST'];
  return objects
    .filter(({ kind }) => kind === 'Ingress')
    .flatMap((ingress) =>
      at(ingress, 'spec.rules.*').flatMap(({ host }) =>
        host === undefined || known.has(word(host)) ? [] : [`${nameOf(ingress)}: 421 for ${word(host)}`],
      ),
    );
};

export const RULES = {
  images,
  resources,
  unprivileged,
  probes,
  availability,
  endsInOrder,
  secrets,
  references,
  network,
  metricsArePrivate,
  hosts,
} as const satisfies Record<string, Rule>;
