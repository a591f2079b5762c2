/**
 * Objects against the API's own schema, offline. kubernetes-models checks values but lets unknown fields
 * pass, which a cluster drops or refuses; its types do not, so that the compiler looks for those.
 */
import { Deployment, StatefulSet } from 'kubernetes-models/apps/v1';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import { Job } from 'kubernetes-models/batch/v1';
import { Ingress, NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, Service, ServiceAccount } from 'kubernetes-models/v1';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import type { KubeObject } from './render.js';

interface Model {
  validate(): void;
}
type ModelClass = new (data: never) => Model;

const MODELS: Readonly<Record<string, Readonly<Record<string, ModelClass>>>> = {
  v1: { ConfigMap, Service, ServiceAccount },
  'apps/v1': { Deployment, StatefulSet },
  'autoscaling/v2': { HorizontalPodAutoscaler },
  'batch/v1': { Job },
  'networking.k8s.io/v1': { Ingress, NetworkPolicy },
  'policy/v1': { PodDisruptionBudget },
};

/** Values of a wrong type, fields that are missing, kinds that no manifest of ours should have. */
export function invalidValues(objects: readonly KubeObject[]): string[] {
  return objects.flatMap((object) => {
    const name = `${object.kind}/${object.metadata.name}`;
    const model = MODELS[object.apiVersion]?.[object.kind];
    if (model === undefined) return [`${name}: no ${object.apiVersion} ${object.kind} is known here`];
    try {
      new model(object as never).validate();
      return [];
    } catch (error) {
      return [`${name}: ${(error as Error).message}`];
    }
  });
}

/** Fields that the API does not have. */
export function unknownFields(objects: readonly KubeObject[]): string[] {
  const source = objects
    .filter(({ apiVersion, kind }) => MODELS[apiVersion]?.[kind] !== undefined)
    .map((object, index) => {
      const { apiVersion, kind } = object;
      const type = `${kind}${index}`;
      return [
        `import type { I${kind} as ${type} } from 'kubernetes-models/${apiVersion}';`,
        `export const object${index}: ${type} = ${JSON.stringify(object, null, 1)};`,
      ].join('\n');
    })
    .join('\n');
  const file = join(resolve(import.meta.dirname), 'objects.generated.ts');
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
  };
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, source, ts.ScriptTarget.ES2022) : read(name, ...rest);
  const program = ts.createProgram([file], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' ').slice(0, 400));
}
