/** What a component host is told and tells, with a small host of Node.js in the place of Python. */
import path from 'node:path';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';

import { createLogger } from '../../../../src/log/logger.js';
import { Warden } from '../../../../src/system/process/warden.js';
import { ComponentHost } from '../../../../src/worker/host/component-host.js';
import type { HostCommand } from '../../../../src/worker/host/component-host.js';
import { untilGone } from '../../../support/processes.js';

const FAKE = path.resolve(import.meta.dirname, '../../../support/fake-host.js');

interface Told {
  readonly what: string;
  readonly [fact: string]: unknown;
}

const open: { host: ComponentHost; warden: Warden }[] = [];
afterEach(async () => {
  for (const { host, warden } of open.splice(0)) {
    await host.stop();
    warden.close();
  }
});

interface Setting {
  readonly manner?: string;
  readonly command?: Partial<HostCommand>;
  readonly helloMs?: number;
}

/** A host, everything that it writes to the log, and what its components tell. */
function hostThat({ manner = 'hello', command = {}, helloMs }: Setting = {}) {
  const records: Record<string, unknown>[] = [];
  const log = createLogger({
    level: 'debug',
    destination: { write: (line: string) => void records.push(JSON.parse(line) as Record<string, unknown>) },
  });
  const warden = new Warden(() => undefined);
  const program = {
    name: 'Fake',
    command: () =>
      Promise.resolve({
        ...{ file: process.execPath, arguments: [FAKE, manner], cwd: '/', env: process.env, setup: { cbdir: '/x' } },
        ...command,
      }),
  };
  const host = new ComponentHost(program, { warden, log, links: 1, ...(helloMs !== undefined && { helloMs }) });
  open.push({ host, warden });
  const told: Told[] = [];
  /** Resolves when the component has failed or left. */
  const run = (id: string, does: readonly string[]) =>
    new Promise<void>((resolve) => {
      const last = (what: string, facts: object): void => {
        told.push({ what, id, ...facts });
        resolve();
      };
      host.startComponent(
        id,
        { type: 'class', extra: { does } },
        {
          joined: (facts) => void told.push({ what: 'joined', id, ...facts }),
          ready: () => void told.push({ what: 'ready', id }),
          failed: (failure) => last('failed', failure),
          left: (end) => last('left', end),
        },
      );
    });
  return { host, records, told, run };
}

const FACTS = { session: 7, realm: 'realm1', authid: 'a', authrole: 'b' };

describe('a host', () => {
  it('is told the setup, says hello, and its output and its log are in the log of the node', async () => {
    const { host, records, run } = hostThat();
    await host.start();
    await run('one', ['log', 'failed']);
    await host.stop();
    const pid = records[0]?.['pid'];
    expect(pid).toBeTypeOf('number');
    const line = 'setup {"type":"setup","cbdir":"/x","loglevel":"debug"}';
    expect(records).toContainEqual(expect.objectContaining({ level: 'info', pid, stream: 'stdout', line }));
    const facts = { level: 'info', pid, host: 'Fake', fake: '1.0', msg: 'component host started' };
    expect(records).toContainEqual(expect.objectContaining(facts));
    const warning = { level: 'warn', pid, component: 'one', logger: 'mine', line: 'careful' };
    expect(records).toContainEqual(expect.objectContaining(warning));
  });

  it('tells how each component fares', async () => {
    const { host, told, run } = hostThat();
    await host.start();
    await run('one', ['joined', 'ready', 'left', 'ready']);
    await run('two', ['failed']);
    await run('one', ['joined', 'left']);
    expect(told).toEqual([
      { what: 'joined', id: 'one', ...FACTS },
      { what: 'ready', id: 'one' },
      { what: 'left', id: 'one', reason: 'wamp.close.normal', clean: true },
      { what: 'failed', id: 'two', stage: 'import', problem: 'no module', trace: 'line 1\nline 2' },
      { what: 'joined', id: 'one', ...FACTS },
      { what: 'left', id: 'one', reason: 'wamp.close.normal', clean: true },
    ]);
  });

  it('has a socket for a component', async () => {
    const { host, run } = hostThat();
    await host.start();
    void run('one', ['echo']);
    const link = host.link(0);
    link.write('hello');
    expect(String((await once(link, 'data'))[0])).toBe('hello');
    expect(() => host.link(1)).toThrow('the host has no link 1');
  });

  it('cannot fill the log', async () => {
    const { host, records, run } = hostThat();
    await host.start();
    await run('one', ['flood', 'failed']);
    await host.stop();
    const lines = records.filter(({ msg }) => msg === 'log of the process').length;
    const omitted = records.filter(({ msg }) => String(msg).startsWith('lines of the process left out'));
    expect(lines).toBeGreaterThanOrEqual(1000);
    expect(lines + omitted.reduce((sum, record) => sum + Number(record['lines']), 0)).toBe(5000);
  });
});

describe('a host that ends', () => {
  it.each([
    ['exit', 'its process has ended (exit code 7)'],
    ['die', 'its process has ended (SIGKILL)'],
    ['nonsense', 'its process broke the protocol'],
  ])('by itself ends its components: %s', async (step, problem) => {
    const { host, told, run } = hostThat();
    await host.start();
    const all = Promise.all([run('one', ['joined', 'ready']), run('two', ['joined', step])]);
    await all;
    expect(told.slice(-2)).toEqual([
      { what: 'left', id: 'one', reason: problem, clean: false },
      { what: 'left', id: 'two', reason: problem, clean: false },
    ]);
    await host.ended;
    await run('three', []);
    expect(told.at(-1)).toEqual({ what: 'failed', id: 'three', stage: 'process', problem: 'its process has ended' });
  });

  it('is killed when it does not listen to a stop', async () => {
    const { host, records, run } = hostThat();
    await host.start();
    const one = run('one', ['joined', 'deaf', 'log']);
    await until(() => records.some(({ line }) => line === 'careful'));
    await host.stop();
    await one;
    expect(records).toContainEqual(
      expect.objectContaining({ level: 'warn', msg: 'component host killed: it did not stop' }),
    );
  });
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

describe('a host that cannot be used', () => {
  it.each<[string, Setting, string]>([
    ['says why', { manner: 'unusable' }, 'the package "fake" is missing'],
    ['ends', { manner: 'exit' }, 'Fake ended before it said hello (exit code 3)'],
    ['says nothing', { manner: 'silent', helloMs: 100 }, 'Fake did not say hello within 0.1 s'],
    [
      'is not there',
      { command: { file: '/no/such/program' } },
      'Fake cannot be started: there is no program /no/such/program',
    ],
    [
      'is no program',
      { command: { file: FAKE } },
      `Fake cannot be started: ${FAKE} is no program, or not for this user`,
    ],
  ])('%s', async (_, setting, message) => {
    const { host, records } = hostThat(setting);
    await expect(host.start()).rejects.toThrow(message);
    await untilGone(records.flatMap(({ pid }) => (typeof pid === 'number' ? [pid] : [])));
  });

  it('is given up by a signal', async () => {
    const { host } = hostThat({ manner: 'silent' });
    const given = new AbortController();
    const start = host.start(given.signal);
    given.abort(new Error('enough'));
    await expect(start).rejects.toThrow('enough');
  });

  it('is ended by a stop while it starts', async () => {
    const { host } = hostThat({ manner: 'silent' });
    const start = host.start();
    await host.stop();
    await expect(start).rejects.toThrow('Fake ended before it said hello');
  });
});
