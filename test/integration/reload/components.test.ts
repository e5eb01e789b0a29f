/** `crossbar-ts reload --restart-components`: components go and come in a node that runs, all of them or none. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ReloadReport } from '../../../src/node/reload/report.js';
import { runCli } from '../../support/daemon.js';
import { ALLOW_ALL } from '../../support/node-config.js';
import { configWith, directoryWith } from '../../support/node-directory.js';
import { endpointAt, ReloadedDaemon } from '../../support/reloading.js';
import { WampClient } from '../../support/wamp-client.js';
import type { JoinedClient } from '../../support/wamp-client.js';

const MODULES = {
  'answer.mjs': `
    export default async function (session, { id, extra, log }) {
      if (extra.fails) throw new Error('no database');
      await session.register(extra.uri, () => extra.answer);
      if (extra.late) throw new Error('no database any more');
      return { stop: () => log.info({ id }, 'answerer stopped') };
    }
    export async function slow(session, { log }) {
      log.info('slow one waits');
      await new Promise(() => undefined);
    }
  `,
  'broken.mjs': 'export default (',
};

const answerer = (id: string, answer: string, more: object = {}): object => {
  return { id, module: './answer.mjs', extra: { uri: `com.${id}`, answer }, ...more };
};
const failing = (id: string, more: object): object => answerer(id, '', { extra: { uri: `com.${id}`, ...more } });

let node: ReloadedDaemon;
let client: JoinedClient;
let requestId = 0;
const config = (components: readonly object[], realms?: readonly object[]): object =>
  configWith(components, { transport: { endpoint: endpointAt(node.ports[0] ?? 0) }, ...(realms && { realms }) });
const BOTH = [answerer('one', 'first'), answerer('two', 'second')];

beforeAll(async () => {
  node = await ReloadedDaemon.start(([port = 0]) => configWith(BOTH, { transport: { endpoint: endpointAt(port) } }), {
    cbdir: directoryWith(MODULES),
    portCount: 1,
  });
  client = await WampClient.join(node.daemon.url('/ws', 'ws'));
});
afterAll(async () => {
  await client.drop();
  await node.dispose();
});

/** What the procedures of components answer, as an open session finds them. */
async function answers(...ids: readonly string[]): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const id of ids) {
    const answer = await client.ask([48, ++requestId, {}, `com.${id}`]);
    found.push(answer[0] === 50 ? (answer[3] as unknown[])[0] : answer[4]);
  }
  return found;
}
const GONE = 'wamp.error.no_such_procedure';

function restart(components: readonly object[], realms?: readonly object[]): Promise<ReloadReport> {
  node.write(config(components, realms));
  return node.node.reload({ restartComponents: true });
}

beforeEach(async () => {
  expect(await restart(BOTH)).toMatchObject({ ok: true, pending: [] });
  expect(await answers('one', 'two')).toEqual(['first', 'second']);
});

describe('reload --restart-components', () => {
  it('stops and starts those that have changed, came or went, and leaves the others alone', async () => {
    const before = node.daemon.logs.length;
    const report = await restart([answerer('one', 'first'), answerer('three', 'third')]);
    expect(report).toMatchObject({ ok: true, pending: [], components: { started: ['three'], stopped: ['two'] } });
    expect(await answers('one', 'two', 'three')).toEqual(['first', GONE, 'third']);
    const other = await restart([answerer('three', 'new'), answerer('one', 'first')]);
    expect(other).toMatchObject({ ok: true, components: { started: ['three'], stopped: [] } });
    expect(other.changes.map(({ pointer }) => pointer)).toEqual(['/workers/0/components/0/extra/answer']);
    expect(await answers('one', 'three')).toEqual(['first', 'new']);
    const said = (what: string): unknown[] =>
      node.daemon.logs.slice(before).flatMap(({ msg, id }) => (msg === what ? [id] : []));
    // What they write may come behind the report.
    await expect.poll(() => said('answerer stopped')).toEqual(['two', 'three']);
    expect(said('component left its realm')).toEqual([]);
  });

  it('finds the new realms and rules of the same file', async () => {
    const rules = [{ uri: 'com.', match: 'prefix', allow: { register: true, call: true } }];
    const realms = [
      {
        name: 'realm1',
        roles: [
          { name: 'anonymous', permissions: ALLOW_ALL },
          { name: 'backend', permissions: rules },
        ],
      },
      { name: 'realm2', roles: [{ name: 'anonymous', permissions: ALLOW_ALL }] },
    ];
    const there = answerer('two', 'there', { realm: 'realm2' });
    expect(await restart([answerer('one', 'first', { role: 'backend' }), there], realms)).toMatchObject({ ok: true });
    expect(await answers('one', 'two')).toEqual(['first', GONE]);
    const other = await WampClient.join(node.daemon.url('/ws', 'ws'), 'realm2');
    expect((await other.ask([48, 1, {}, 'com.two']))[3]).toEqual(['there']);
    // Realm and component go in one step.
    const before = node.daemon.logs.length;
    expect(await restart(BOTH)).toMatchObject({ ok: true, removed: 2 });
    expect(await answers('one', 'two')).toEqual(['first', 'second']);
    expect(node.daemon.logs.slice(before).filter(({ msg }) => msg === 'component left its realm')).toEqual([]);
    await other.drop();
  });

  it.each([
    ['is not there', { module: './nowhere.mjs' }],
    ['cannot be read', { module: './broken.mjs' }],
    ['has no such function', { name: 'nobody' }],
  ])('changes nothing when a module %s', async (_name, more) => {
    const report = await restart(
      [answerer('one', 'new'), answerer('two', 'new', more)],
      [{ name: 'realm1', roles: [{ name: 'anonymous', permissions: [] }] }],
    );
    expect(report).toMatchObject({ ok: false, componentsFailed: false, changes: [], pending: [] });
    expect(report.problems).toEqual([expect.stringMatching(/^component two \(\/workers\/0\/components\/1\): /)]);
    expect(await answers('one', 'two')).toEqual(['first', 'second']);
  });

  it.each([
    ['before', { fails: true }],
    ['after', { late: true }],
  ])('has all as before when one fails %s it has registered, and takes over all else', async (_name, how) => {
    const realm2 = { name: 'realm2', roles: [{ name: 'anonymous', permissions: ALLOW_ALL }] };
    const realms = [{ name: 'realm1', roles: [{ name: 'anonymous', permissions: ALLOW_ALL }] }, realm2];
    const next = [answerer('one', 'new'), answerer('three', 'third'), failing('two', how)];
    const report = await restart(next, realms);
    expect(report).toMatchObject({ ok: false, componentsFailed: true, components: { started: [], stopped: [] } });
    expect(report.problems).toEqual([
      expect.stringMatching(/^component two \(\/workers\/0\/components\/2\): no database/),
    ]);
    expect(report.pending).toEqual([0, 1, 2].map((index) => `/workers/0/components/${String(index)}`));
    expect(await answers('one', 'two', 'three')).toEqual(['first', 'second', GONE]);
    expect(await node.node.status()).toMatchObject({ last_reload_successful: false, pending_restart: report.pending });
    await (await WampClient.join(node.daemon.url('/ws', 'ws'), 'realm2')).leave();
    // Mended: the same components, and the one that failed.
    const mended = await restart([...next.slice(0, 2), answerer('two', 'mended')], realms);
    expect(mended).toMatchObject({ ok: true, components: { started: ['one', 'three', 'two'] } });
    expect(await answers('one', 'two', 'three')).toEqual(['new', 'mended', 'third']);
  });

  it('is told by the command, and a node without it lets them wait', async () => {
    const reload = async (components: readonly object[], ...options: readonly string[]) => {
      node.write(config(components));
      return runCli(['reload', '--cbdir', node.daemon.cbdir, ...options]);
    };
    const next = [answerer('one', 'new'), answerer('two', 'second')];
    const place = '/workers/0/components/0/extra/answer';
    const waits = await reload(next);
    expect(waits.stdout).toContain(`${place}: after a restart, or with --restart-components\n`);
    expect(await answers('one')).toEqual(['first']);
    const done = await reload(next, '--restart-components');
    expect(done.code).toBe(0);
    expect(done.stdout).toContain(`${place}: with its component\ncomponent one: started\nmodules are those that`);
    expect(await answers('one')).toEqual(['new']);
    const failed = await reload([failing('one', { fails: true })], '--restart-components');
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('component one (/workers/0/components/0): no database\n');
    expect(failed.stderr).toContain('a component cannot run: the components are as before, all else is reloaded\n');
    expect(failed.stdout).toContain('/workers/0/components/0: after a restart\n');
    expect(await answers('one', 'two')).toEqual(['new', 'second']);
  });

  it('runs the code that the node had loaded', async () => {
    writeFileSync(path.join(node.daemon.cbdir, 'answer.mjs'), 'export default () => { throw new Error("new code"); };');
    expect(await restart([answerer('one', 'new'), answerer('two', 'second')])).toMatchObject({ ok: true });
    expect(await answers('one')).toEqual(['new']);
    writeFileSync(path.join(node.daemon.cbdir, 'answer.mjs'), MODULES['answer.mjs']);
  });

  it('lets components of Python wait', async () => {
    const report = await restart([...BOTH, { id: 'snake', type: 'class', classname: 'backend.Backend' }]);
    expect(report).toMatchObject({ ok: true, pending: ['/workers/0/components/2'], onDemand: [] });
    // Another kind of the same name cannot come either.
    const other = await restart([{ id: 'one', type: 'class', classname: 'backend.Backend' }, BOTH[1] ?? {}]);
    expect(other).toMatchObject({ ok: true, pending: ['/workers/0/components/0'] });
    expect(await answers('one', 'two')).toEqual(['first', 'second']);
  });
});

it('a node that stops gives up what is starting', async () => {
  const daemon = await ReloadedDaemon.start(configWith(BOTH), { cbdir: directoryWith(MODULES) });
  daemon.write(configWith([...BOTH, { id: 'slow', module: './answer.mjs', name: 'slow' }]));
  const report = daemon.node.reload({ restartComponents: true }).catch(() => undefined);
  await daemon.daemon.waitForLog('slow one waits');
  daemon.daemon.signal('SIGTERM');
  await daemon.daemon.waitForLog('node stopped');
  await report;
  expect(daemon.daemon.logs.filter(({ msg }) => msg === 'answerer stopped')).toHaveLength(2);
  await daemon.dispose();
});
