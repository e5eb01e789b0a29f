/** What operators see of workers with processes of their own, and do to their clients: one node. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli, startDaemon } from '../../support/daemon.js';
import type { Daemon, LogRecord } from '../../support/daemon.js';
import { MetricsText } from '../../support/metrics-text.js';
import { LOOPBACK, openRealm } from '../../support/node-config.js';
import { WampClient } from '../../support/wamp-client.js';
import type { JoinedClient } from '../../support/wamp-client.js';

let node: Daemon;
let [here, there, far]: JoinedClient[] = [];

/** Operators look at all of the node, and end sessions. */
const OPERATORS = {
  name: 'operators',
  roles: [
    {
      name: 'anonymous',
      permissions: ['crossbar.monitor.', 'crossbar.monitor.session.'].map((uri) => ({
        ...{ uri, match: 'prefix', allow: { call: true } },
      })),
    },
  ],
};

function worker(
  id: string,
  options: object,
  more: { readonly realms?: readonly object[]; readonly paths?: object } = {},
): object {
  const { realms = [], paths: others = {} } = more;
  const paths = {
    '/': { type: 'json', value: id },
    ws: { type: 'websocket' },
    readyz: { type: 'readyz' },
    ...others,
  };
  return {
    ...{ type: 'router', id, options, realms: [openRealm('realm1'), openRealm(`realm_${id}`), ...realms] },
    transports: [{ type: 'web', id: 'web', endpoint: LOOPBACK, paths }],
  };
}

function urlOf(id: string, scheme = 'http'): string {
  const isThere = ({ msg, worker: of }: LogRecord): boolean => msg === 'transport started' && of === id;
  return `${scheme}://127.0.0.1:${Number(node.logs.findLast(isThere)?.['port'])}`;
}

function join(id: string, realm = `realm_${id}`): Promise<JoinedClient> {
  return WampClient.join(`${urlOf(id, 'ws')}/ws`, realm);
}

async function cli(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli([...args, '--cbdir', node.cbdir]);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

async function metricsOf(id: string): Promise<MetricsText> {
  return new MetricsText(await (await fetch(`${urlOf(id)}/metrics`)).text());
}

beforeAll(async () => {
  const paths = { metrics: { type: 'metrics' } };
  const apart = { process: true };
  const workers = [
    worker('near', {}, { paths, realms: [OPERATORS] }),
    worker('one', apart, { paths }),
    worker('two', apart),
  ];
  node = await startDaemon({ config: { version: 2, controller: {}, workers } });
  [here, there, far] = [await join('near'), await join('one'), await join('two')];
});
afterAll(async () => {
  await node.dispose();
});

describe('commands', () => {
  it('status counts all sessions and names the processes', async () => {
    await expect
      .poll(async () => JSON.parse(await cli('status', '--json')) as object, { timeout: 30_000 })
      .toMatchObject({
        ready: true,
        sessions: 3,
        realms: ['realm1', 'realm_near', 'operators', 'realm1', 'realm_one', 'realm1', 'realm_two'],
        processes: [
          { worker: 'one', pid: expect.any(Number) as number },
          { worker: 'two', pid: expect.any(Number) as number },
        ],
      });
    expect(await cli('status')).toMatch(/\n {2}process of one: pid \d+\n {2}process of two: pid \d+\n/);
  });

  it('sessions list has those of all, or of the realm or worker that is named', async () => {
    const listed = async (...args: string[]): Promise<unknown[]> =>
      (await cli('sessions', 'list', '--json', ...args))
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { session: number }).session);
    const ids = [here, there, far].map((client) => client?.sessionId);
    expect(await listed()).toEqual(ids);
    expect(await listed('--worker', 'one')).toEqual([there?.sessionId]);
    expect(await listed('--realm', 'realm_two')).toEqual([far?.sessionId]);
  });

  it('says what there is where a name is wrong', async () => {
    const wrong = await runCli(['sessions', 'list', '--realm', 'nothing', '--cbdir', node.cbdir]);
    expect(wrong.stderr).toContain('there are "realm1", "realm_near", "operators", "realm_one", "realm_two"');
    const other = await runCli(['sessions', 'list', '--worker', 'nobody', '--cbdir', node.cbdir]);
    expect(other.stderr).toContain('there are near, one, two');
  });

  it('shows a session with what it has, wherever it is', async () => {
    const client = await join('one');
    expect((await client.ask([32, 1, {}, 'com.example.topic']))[0]).toBe(33);
    const shown = await cli('sessions', 'get', String(client.sessionId), '--json');
    expect(JSON.parse(shown)).toMatchObject({
      ...{ session: client.sessionId, worker: 'one', realm: 'realm_one' },
      subscriptions: [{ uri: 'com.example.topic' }],
    });
    await client.leave();
  });

  it('kills a session by its id, and those of a realm that only one has', async () => {
    const [one, two] = [await join('one'), await join('two')];
    await cli('sessions', 'kill', String(one.sessionId));
    expect((await one.next())[0]).toBe(6);
    const refused = await runCli(['sessions', 'kill', '--authid', 'x', '--realm', 'realm1', '--cbdir', node.cbdir]);
    expect(refused.stderr).toContain('several workers have a realm "realm1": say --worker with one of near, one, two');
    expect((await two.ask([32, 1, {}, 'com.example.topic']))[0]).toBe(33);
    await two.leave();
  });

  it('top has a line for each process, and the realms and sessions of all', async () => {
    const text = await cli('top');
    expect(text).toMatch(/\nprocess of one {3}pid \d+ {3}1 session {3}memory \d+M {3}cpu \d+ %\n/);
    const { realms, processes, sessions } = JSON.parse(await cli('top', '--json', '--once')) as {
      realms: { worker: string }[];
      processes: unknown[];
      sessions: { total: number; entries: { session: number }[] };
    };
    expect(realms.map((realm) => realm.worker)).toEqual(['near', 'near', 'near', 'one', 'one', 'two', 'two']);
    expect(processes).toHaveLength(2);
    expect(sessions.total).toBe(3);
    const ids = [here, there, far].map((client) => client?.sessionId);
    expect(new Set(sessions.entries.map(({ session }) => session))).toEqual(new Set(ids));
  });
});

describe('the monitor', () => {
  it('shows the sessions of all in pages, and ends one of them', async () => {
    const operator = await join('near', 'operators');
    const client = await join('one');
    let request = 0;
    const call = async <T>(procedure: string, asked: object): Promise<T> => {
      const [type, , , result] = await operator.ask([48, ++request, {}, procedure, [], asked]);
      expect(type).toBe(50);
      return (result as [T])[0];
    };
    const seen: number[] = [];
    let after: unknown;
    do {
      const asked = { sort: 'joined', limit: 2, ...(after !== undefined && { after }) };
      const page = await call<{ entries: { session: number }[]; total: number; next: unknown }>(
        'crossbar.monitor.sessions',
        asked,
      );
      expect(page.total).toBe(5);
      seen.push(...page.entries.map(({ session }) => session));
      after = page.next ?? undefined;
    } while (after !== undefined);
    const all = [here, there, far, operator, client].map((each) => each?.sessionId);
    expect([...seen].sort()).toEqual([...all].sort());
    const topic = await client.ask([32, 1, {}, 'com.example.seen']);
    expect(topic[0]).toBe(33);
    const topics = await call<{ entries: object[] }>('crossbar.monitor.topics', { search: 'com.example.seen' });
    expect(topics.entries).toMatchObject([{ worker: 'one', uri: 'com.example.seen' }]);
    const done = await call('crossbar.monitor.session.end', { session: client.sessionId, message: 'enough' });
    expect(done).toEqual({ sessions: 1, cookies: 0 });
    expect(await client.next()).toEqual([6, { message: 'enough' }, 'wamp.close.killed']);
    const absent = await operator.ask([48, ++request, {}, 'crossbar.monitor.session.end', [], { session: 1 }]);
    expect(absent[4]).toBe('wamp.error.no_such_session');
    await operator.leave();
  });
});

describe('services', () => {
  it('metrics of the node have the counts of all, and figures of each process', async () => {
    await expect
      .poll(async () => (await metricsOf('near')).value('wamp_sessions'), { timeout: 30_000, interval: 1100 })
      .toBe(3);
    const all = await metricsOf('near');
    expect(all.value('wamp_sessions', { realm: 'realm_one' })).toBe(1);
    expect(all.words('wamp_router_process_resident_memory_bytes', 'worker')).toEqual(['one', 'two']);
    expect(all.value('wamp_router_process_resident_memory_bytes')).toBeGreaterThan(0);
    expect(all.value('wamp_build_info')).toBe(1);
    expect(all.value('wamp_router_processes_lost_total')).toBe(0);
    // Where only the process of the node has a service that wants it.
    const call = await far?.ask([48, 1, {}, 'com.example.nobody']);
    expect(call?.[0]).toBe(8);
    await expect
      .poll(async () => (await metricsOf('near')).words('wamp_call_duration_seconds_count', 'realm'), {
        ...{ timeout: 30_000, interval: 1100 },
      })
      .toContain('realm_two');
    const own = await metricsOf('one');
    expect(own.words('wamp_sessions', 'realm')).not.toContain('realm_two');
  });

  it('counters do not fall when a process dies', async () => {
    const client = await join('two');
    for (let request = 1; request <= 20; request++) await client.ask([32, request, {}, `com.example.t${request}`]);
    const labels = { realm: 'realm_two', type: 'SUBSCRIBE' };
    const count = async (): Promise<number> => (await metricsOf('near')).value('wamp_messages_received_total', labels);
    await expect.poll(count, { timeout: 30_000, interval: 1100 }).toBeGreaterThanOrEqual(20);
    const counted = await count();
    const { processes } = JSON.parse(await cli('status', '--json')) as { processes: { pid: number }[] };
    const dying = processes[1]?.pid ?? 0;
    process.kill(dying, 'SIGKILL');
    await node.waitForLog(({ msg, worker: of, pid }) => of === 'two' && pid !== dying && msg.endsWith('serves'));
    await expect
      .poll(async () => (await metricsOf('near')).value('wamp_router_processes_lost_total'), { interval: 1100 })
      .toBe(1);
    expect(await count()).toBeGreaterThanOrEqual(counted);
    far = await join('two');
  });

  it('readyz of every worker says what the node says', async () => {
    for (const id of ['near', 'one', 'two']) {
      await expect.poll(async () => (await fetch(`${urlOf(id)}/readyz`)).status, { timeout: 30_000 }).toBe(200);
    }
  });
});
