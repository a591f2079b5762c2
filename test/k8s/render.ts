/**
 * As much of kustomize as k8s/ uses, so that its objects are tested where there is no kubectl; where there
 * is one, a test compares the two. What kubectl 1.20 (kustomize 2.0) does not know is refused.
 */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json | undefined };
export type JsonObject = Record<string, Json | undefined>;
export interface KubeObject extends JsonObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> } & JsonObject;
}

interface Generator {
  readonly name: string;
  readonly behavior?: 'merge';
  readonly literals?: readonly string[];
  readonly files?: readonly string[];
}
interface Kustomization {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly commonLabels: Record<string, string>;
  readonly bases?: readonly string[];
  readonly resources: readonly string[];
  readonly configMapGenerator?: readonly Generator[];
}
const FIELDS: readonly string[] = [
  'apiVersion',
  'kind',
  'namespace',
  'commonLabels',
  'bases',
  'resources',
  'configMapGenerator',
] satisfies (keyof Kustomization)[];

/** The objects of a folder with a kustomization.yaml; generated names without their hash. */
export function render(folder: string): KubeObject[] {
  const kustomization = parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8')) as Kustomization;
  for (const field of Object.keys(kustomization)) {
    if (!FIELDS.includes(field)) throw new Error(`${folder}: ${field} is not rendered by every kubectl`);
  }
  const objects = [
    ...(kustomization.bases ?? []).flatMap((base) => render(join(folder, base))),
    ...kustomization.resources.flatMap((file) => read(join(folder, file))),
  ];
  for (const generator of kustomization.configMapGenerator ?? []) generate(objects, folder, generator);
  for (const object of objects) {
    object.metadata.namespace = kustomization.namespace;
    label(object, kustomization.commonLabels);
  }
  return objects;
}

function read(path: string): KubeObject[] {
  return parseAllDocuments(readFileSync(path, 'utf8')).map((document) => {
    if (document.errors.length > 0) throw new Error(`${path}: ${String(document.errors[0])}`);
    return document.toJS() as KubeObject;
  });
}

function generate(objects: KubeObject[], folder: string, generator: Generator): void {
  const data: Record<string, string> = {};
  for (const literal of generator.literals ?? []) {
    const at = literal.indexOf('=');
    data[literal.slice(0, at)] = literal.slice(at + 1);
  }
  for (const file of generator.files ?? []) {
    data[basename(file)] = readFileSync(join(folder, file), 'utf8');
  }
  if (generator.behavior === 'merge') {
    const found = objects.find(
      ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === generator.name,
    );
    if (found === undefined) throw new Error(`${folder}: no ${generator.name} to merge into`);
    Object.assign(found.data as JsonObject, data);
  } else {
    objects.push({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: generator.name }, data });
  }
}

/** Every object with its path below it, `*` for each element of a list. */
export function at(value: Json | undefined, path: string): JsonObject[] {
  let found: (Json | undefined)[] = [value];
  for (const step of path.split('.').filter((part) => part !== '')) {
    found = found.flatMap((one) => {
      if (step === '*') return Array.isArray(one) ? one : [];
      return isObject(one) ? [one[step]] : [];
    });
  }
  return found.filter(isObject);
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Where `commonLabels` go beside metadata.labels. */
const LABELLED: Readonly<Record<string, readonly string[]>> = {
  Service: ['spec.selector'],
  Deployment: [
    'spec.selector.matchLabels',
    'spec.template.metadata.labels',
    'spec.template.spec.topologySpreadConstraints.*.labelSelector.matchLabels',
  ],
  StatefulSet: [
    'spec.selector.matchLabels',
    'spec.template.metadata.labels',
    'spec.template.spec.topologySpreadConstraints.*.labelSelector.matchLabels',
  ],
  Job: ['spec.template.metadata.labels'],
  PodDisruptionBudget: ['spec.selector.matchLabels'],
  NetworkPolicy: [
    'spec.podSelector.matchLabels',
    'spec.ingress.*.from.*.podSelector.matchLabels',
    'spec.egress.*.to.*.podSelector.matchLabels',
  ],
};

function label(object: KubeObject, labels: Readonly<Record<string, string>>): void {
  object.metadata.labels = { ...object.metadata.labels, ...labels };
  for (const path of LABELLED[object.kind] ?? []) {
    for (const found of at(object, path)) Object.assign(found, labels);
  }
  for (const claim of at(object, 'spec.volumeClaimTemplates.*.metadata')) {
    claim.labels = { ...(isObject(claim.labels) ? claim.labels : {}), ...labels };
  }
}
