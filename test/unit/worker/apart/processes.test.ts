/** The processes of router workers, as those see them who ask whether clients can come. */
import { describe, expect, it } from 'vitest';
import { readinessAlso } from '../../../../src/node/apart/hosting.js';
import { readinessOf } from '../../../../src/node/lifecycle/readiness.js';
import { chosenPorts, withoutPorts, withPorts } from '../../../../src/worker/apart/chosen-ports.js';
import { RouterProcesses } from '../../../../src/worker/apart/processes.js';
import type { Hosting } from '../../../../src/node/apart/hosting.js';
import type { ProcessOfRouter } from '../../../../src/worker/apart/processes.js';
import type { RouterWorkerConfig } from '../../../../src/worker/schema.js';
import type { WorkerOffer } from '../../../../src/worker/worker.js';

function processesOf(...all: readonly (readonly [string, string | undefined])[]): RouterProcesses {
  const processes = new RouterProcesses();
  for (const [worker, problem] of all) {
    processes.add({ worker, problem, sessions: 2, pid: problem === undefined ? 1 : undefined } as ProcessOfRouter);
  }
  return processes;
}

const FINE = { hasStarted: true, isStopping: false, lacksCookies: false };

describe('a node with processes', () => {
  it('is not ready while one of them cannot serve, and each is told of the others', () => {
    const processes = processesOf(['one', undefined], ['two', 'its process is being started']);
    expect(readinessOf({ ...FINE, processes: processes.problemBeside() })).toMatchObject({
      isReady: false,
      checks: { processes: 'two: its process is being started' },
    });
    expect(readinessOf({ ...FINE, processes: processes.problemBeside('two') }).isReady).toBe(true);
    expect(readinessOf({ ...FINE, processes: processes.problemBeside('one') }).isReady).toBe(false);
    expect(processes.summaries).toEqual([{ worker: 'one', pid: 1 }, { worker: 'two' }]);
    expect([processes.sessionsBeside(), processes.sessionsBeside('one')]).toEqual([4, 2]);
  });

  it('is ready by what it says itself and by what the node says', () => {
    const told = (isReady: boolean): Hosting =>
      ({ told: { readiness: readinessOf({ ...FINE, isStopping: !isReady }) } }) as unknown as Hosting;
    const own = readinessOf(FINE);
    expect(readinessAlso(own, undefined)).toBe(own);
    expect(readinessAlso(own, told(true)).isReady).toBe(true);
    expect(readinessAlso(own, told(false))).toMatchObject({ isReady: false, checks: { stop: 'the node is stopping' } });
    const poor = readinessOf({ ...FINE, lacksCookies: true });
    const answer = readinessAlso(poor, told(true));
    expect(answer).toMatchObject({ isReady: false, checks: { cookies: 'no new cookie can be stored', stop: 'ok' } });
  });
});

describe('ports that the system chose', () => {
  const tcp = (id: string, port: number): object => ({ id, endpoint: { type: 'tcp', port } });
  const config = { transports: [tcp('a', 0), tcp('b', 8080), { id: 'c', endpoint: { type: 'unix', path: 'c' } }] };
  const worker = config as unknown as RouterWorkerConfig;
  const offer = { listening: ['a', 'b', 'c'].map((transport, index) => ({ transport, port: 9000 + index })) };
  const portsOf = ({ transports }: RouterWorkerConfig): unknown[] =>
    transports.map(({ endpoint }) => (endpoint?.type === 'tcp' ? endpoint.port : undefined));

  it('are those of the next process, and its config has none of them', () => {
    const chosen = chosenPorts(worker, offer as unknown as WorkerOffer);
    const given = withPorts(worker, chosen);
    expect(portsOf(given)).toEqual([9000, 8080, undefined]);
    expect(portsOf(withoutPorts(given, chosen))).toEqual([0, 8080, undefined]);
    expect(withoutPorts(given, chosen)).toEqual(worker);
  });
});
