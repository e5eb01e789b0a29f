/** What becomes of a component in a host: ready, slow, late, failed or gone. */
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';

import { createLogger } from '../../../../src/log/logger.js';
import { Warden } from '../../../../src/system/process/warden.js';
import { ComponentHost } from '../../../../src/worker/host/component-host.js';
import { HostedComponent } from '../../../../src/worker/host/hosted-component.js';

const FAKE = path.resolve(import.meta.dirname, '../../../support/fake-host.js');

const open: { host: ComponentHost; warden: Warden }[] = [];
afterEach(async () => {
  for (const { host, warden } of open.splice(0)) {
    await host.stop();
    warden.close();
  }
});

/** A component that does this, in a host that runs. */
async function componentThat(does: readonly string[], times = { joinMs: 20_000, readyMs: 20_000 }) {
  const records: Record<string, unknown>[] = [];
  const log = createLogger({
    level: 'info',
    destination: { write: (line: string) => void records.push(JSON.parse(line) as Record<string, unknown>) },
  });
  const warden = new Warden(() => undefined);
  const command = { file: process.execPath, arguments: [FAKE], cwd: '/', env: process.env, setup: {} };
  const host = new ComponentHost({ name: 'Fake', command: () => Promise.resolve(command) }, { warden, log, links: 0 });
  open.push({ host, warden });
  await host.start();
  const parts = {
    id: 'one',
    host,
    spec: { extra: { does } },
    log: log.child({ component: 'one' }),
    facts: { what: 'it' },
  };
  const told = () =>
    records.filter(({ msg }) => String(msg).startsWith('component ') && msg !== 'component host started');
  return { host, component: new HostedComponent({ ...parts, times }), told };
}

it('a component that joins and is ready has started', async () => {
  const { component, told } = await componentThat(['joined', 'ready']);
  await component.start();
  expect(told()).toMatchObject([
    { msg: 'component started', level: 'info', component: 'one', what: 'it', sessionId: 7 },
  ]);
});

it('one that is not ready in time has started, and the log says so', async () => {
  const { component, told } = await componentThat(['joined'], { joinMs: 20_000, readyMs: 10 });
  await component.start();
  expect(told().map(({ msg, level }) => [msg, level])).toEqual([
    ['component started', 'info'],
    ['component goes on with onJoin: it is not waited for', 'warn'],
  ]);
});

it('one that does not join in time has failed', async () => {
  const { component, told } = await componentThat([], { joinMs: 10, readyMs: 10 });
  await expect(component.start()).rejects.toThrow('join: it did not join within 0.01 seconds');
  expect(told()).toMatchObject([{ msg: 'component failed', level: 'error', stage: 'join' }]);
});

it('one that fails is told with its traceback', async () => {
  const { component, told } = await componentThat(['failed']);
  await expect(component.start()).rejects.toThrow('import: no module');
  const failure = { msg: 'component failed', stage: 'import', problem: 'no module', trace: 'line 1\nline 2' };
  expect(told()).toMatchObject([failure]);
});

it('one that leaves while it starts has come to its end', async () => {
  const { component, told } = await componentThat(['joined', 'left']);
  await component.start();
  expect(told()).toContainEqual(expect.objectContaining({ msg: 'component left its realm', level: 'warn' }));
});

it('one whose process dies while it starts has failed', async () => {
  const { component } = await componentThat(['joined', 'exit']);
  await expect(component.start()).rejects.toThrow('its process has ended (exit code 7)');
});

it('a start is given up by a signal', async () => {
  const { component } = await componentThat([]);
  const given = new AbortController();
  const start = component.start(given.signal);
  given.abort(new Error('enough'));
  await expect(start).rejects.toThrow('enough');
});
