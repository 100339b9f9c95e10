/** The Kubernetes example: it fits itself, and names options and commands that exist. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseDuration } from '../../../src/task/duration.ts';
import {
  type Data,
  HURRY_S,
  manifestFiles,
  manifests,
  namesIn,
  textOf,
  unknownVariables,
} from '../../support/deployment.ts';
import { ROOT } from '../../support/documents.ts';

const FOLDER = 'deploy/kubernetes';
const kustomization = parse(textOf(`${FOLDER}/kustomization.yaml`));
const objects = manifestFiles().flatMap(manifests);
const pods = objects.filter(({ spec }) => spec.template !== undefined);
const worker = named('Deployment', 'signalbox-worker');
const dashboard = named('Deployment', 'signalbox-dashboard');

function named(kind: string, name: string): Data {
  return objects.find((one) => one.kind === kind && one.metadata.name === name);
}

function containersOf({ spec }: Data): Data[] {
  return spec.template.spec.containers as Data[];
}

/** The value of a container's own variable. */
function variable(object: Data, name: string): string {
  return containersOf(object)[0].env.find((entry: Data) => entry.name === name)?.value;
}

describe('the Kubernetes example', () => {
  it('applies every file, the autoscalers aside, of which one takes one', () => {
    const listed = (kustomization.resources as string[]).filter((name) => name.endsWith('.yaml'));
    const there = readdirSync(join(ROOT, FOLDER)).filter((name) => /^(?!kustomization).*\.yaml$/.test(name));
    expect(listed.sort()).toEqual(there.sort());
  });

  it('sets no variable of Signalbox that does not exist', () => {
    const own = pods.flatMap((pod) => containersOf(pod).flatMap(({ env = [] }) => env.map(({ name }: Data) => name)));
    const shared = kustomization.configMapGenerator[0].literals.map((line: string) => line.split('=')[0]);
    expect(shared.length + own.length).toBeGreaterThan(8);
    expect(unknownVariables([...own, ...shared])).toEqual([]);
  });

  it('asks for no key of the Secret that secrets.env.example does not tell', () => {
    const keys = pods.flatMap((pod) =>
      containersOf(pod).flatMap(({ env = [] }) =>
        env.flatMap(({ valueFrom }: Data) => valueFrom?.secretKeyRef ?? []).map(({ key }: Data) => key as string),
      ),
    );
    expect(new Set(keys)).toEqual(new Set(namesIn(`${FOLDER}/secrets.env.example`)));
  });

  it('gives a stopped worker more time than its drain takes', () => {
    const drainMs = parseDuration(variable(worker, 'SIGNALBOX_DRAIN_TIMEOUT')) ?? Number.NaN;
    expect(worker.spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(drainMs / 1_000 + HURRY_S);
  });

  it('runs nothing as root, with capabilities, or with a token of the cluster', () => {
    expect(pods.length).toBe(3);
    for (const pod of pods) {
      const { securityContext, automountServiceAccountToken } = pod.spec.template.spec;
      expect(automountServiceAccountToken).toBe(false);
      expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      for (const container of containersOf(pod)) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(container.resources.requests).toHaveProperty('memory');
      }
    }
    const { runAsUser } = worker.spec.template.spec.securityContext;
    expect(textOf('Dockerfile')).toContain(`\nUSER ${runAsUser}:${runAsUser}\n`);
  });

  it('gives the key to the remotes to workers alone, since nothing else asks one', () => {
    const secrets = ({ spec }: Data): string[] =>
      spec.template.spec.volumes.flatMap(({ secret }: Data) => secret?.secretName ?? []);
    expect(secrets(worker)).toContain('signalbox-git');
    expect(secrets(dashboard)).toEqual([]);
  });

  it('mounts only volumes that there are, and writes only to those', () => {
    for (const pod of pods) {
      const claims = (pod.spec.volumeClaimTemplates ?? []).map(({ metadata }: Data) => metadata.name);
      const volumes = [...pod.spec.template.spec.volumes.map(({ name }: Data) => name), ...claims];
      for (const { volumeMounts } of containersOf(pod)) {
        expect(new Set(volumes)).toEqual(new Set(volumeMounts.map(({ name }: Data) => name)));
        expect(volumeMounts.map(({ mountPath }: Data) => mountPath)).toEqual(expect.arrayContaining(['/data', '/tmp']));
      }
    }
  });

  it('selects the pods that it makes', () => {
    for (const { spec, kind } of objects.filter(({ kind: is }) => is === 'Service')) {
      const chosen = pods.filter(({ spec: { template } }) =>
        Object.entries(spec.selector).every(([label, value]) => template.metadata.labels[label] === value),
      );
      expect([kind, chosen.length]).toEqual([kind, 1]);
      const ports = containersOf(chosen[0]).flatMap(({ ports: own }) => own.map(({ name }: Data) => name));
      expect(ports).toContain(spec.ports[0].targetPort);
    }
    for (const { spec } of pods) expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels);
  });

  it('asks the dashboard at the port that it is told to listen on', () => {
    const [container] = containersOf(dashboard);
    const port = container.args[container.args.indexOf('--port') + 1];
    expect(container.ports).toEqual([{ name: 'http', containerPort: Number(port) }]);
    expect(container.startupProbe.exec.command.at(-1)).toContain(`:${port}/`);
    expect(container.livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'http' });
  });
});

describe('the autoscalers', () => {
  const hpa = named('HorizontalPodAutoscaler', 'signalbox-worker');
  const keda = named('ScaledObject', 'signalbox-worker');

  it('scale the workers, by as many tasks as one of them runs', () => {
    const concurrency = variable(worker, 'SIGNALBOX_CONCURRENCY');
    const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: worker.metadata.name };
    for (const { spec } of [hpa, keda]) expect(spec.scaleTargetRef).toEqual(target);
    expect(hpa.spec.metrics[0].external.target.averageValue).toBe(concurrency);
    expect(keda.spec.triggers[0].metadata.threshold).toBe(concurrency);
  });

  it('ask for the tasks that are queued or running, by what every dashboard tells', () => {
    const adapter = textOf(`${FOLDER}/autoscaling/hpa.yaml`);
    for (const query of [keda.spec.triggers[0].metadata.query, adapter]) {
      expect(query).toMatch(/max.*sum by \((?:namespace, )?instance\) \(signalbox_tasks\{.*state=~"queued\|running"/);
    }
    expect(adapter).toContain(`as: ${hpa.spec.metrics[0].external.metric.name}`);
  });

  it('are in the namespace of the rest', () => {
    for (const { metadata } of [hpa, keda]) expect(metadata.namespace).toBe(kustomization.namespace);
  });
});
