/** Components of Python in router workers of the real daemon, with Debian's Python and Autobahn. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import autobahn from 'autobahn';
import { afterAll, expect, it } from 'vitest';

import { spawnDaemon, startDaemon } from '../support/daemon.js';
import type { Daemon, LogRecord } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { ALLOW_ALL } from '../support/node-config.js';
import { descendantsOf, isAlive, untilGone } from '../support/processes.js';
import { hasAutobahn, PYTHON, pythonConfig, pythonDirectory } from '../support/python.js';
import type { PythonNodeParts } from '../support/python.js';
import { WampClient } from '../support/wamp-client.js';

const daemons: Daemon[] = [];
afterAll(() => Promise.all(daemons.map((daemon) => daemon.dispose())));

type Files = Readonly<Record<string, string>>;

interface NodeParts extends PythonNodeParts {
  readonly files?: Files;
  readonly env?: Readonly<Record<string, string>>;
}

const optionsOf = (components: readonly (string | object)[], { files, env = {}, ...parts }: NodeParts) => ({
  cbdir: pythonDirectory(files),
  config: pythonConfig(components, parts),
  env,
});

async function started(components: readonly (string | object)[], parts: NodeParts = {}): Promise<Daemon> {
  const daemon = await startDaemon(optionsOf(components, parts));
  daemons.push(daemon);
  return daemon;
}

/** A node that does not start, when it has ended. */
async function failed(components: readonly (string | object)[], parts: NodeParts = {}): Promise<Daemon> {
  const daemon = spawnDaemon(optionsOf(components, parts));
  daemons.push(daemon);
  const t = setTimeout(() => {
    writeFileSync(
      '/tmp/mem-hang.' + String(process.pid) + '.txt',
      JSON.stringify(daemon.logs, null, 1) + daemon.stderr,
    );
  }, 60_000);
  expect((await daemon.exited).code).toBe(1);
  clearTimeout(t);
  return daemon;
}

const join = (daemon: Daemon) => WampClient.join(daemon.url('/ws', 'ws'));
const said = (line: string) => (record: LogRecord) => record['line'] === line;
const messagesOf = (daemon: Daemon): string[] => daemon.logs.map(({ msg }) => msg);
const hostPid = (daemon: Daemon): number =>
  Number(daemon.logs.find(({ msg }) => msg === 'component host started')?.['pid']);

const describePython = describeNeeds('python3-autobahn', hasAutobahn);

describePython('components of Python', () => {
  const realms = [
    {
      name: 'realm1',
      roles: [
        { name: 'backend', permissions: ALLOW_ALL },
        { name: 'user', authorizer: 'com.example.authorize' },
      ],
    },
  ];
  const dynamic = (authenticator: string) => ({
    auth: { ticket: { type: 'dynamic', authenticator, 'authenticator-realm': 'realm1' } },
  });
  const LOGINS = { classname: 'logins.Logins', role: 'backend', extra: { team: 'blue' } };

  /** Logs in by autobahn-js. @returns the session, or why there is none */
  const login = (daemon: Daemon, authid: string, ticket: string, place = '/ws') =>
    new Promise<{ session?: autobahn.Session; reason?: string }>((resolve) => {
      const connection = new autobahn.Connection({
        ...{ url: daemon.url(place, 'ws'), realm: 'realm1', authmethods: ['ticket'], authid, max_retries: 0 },
        onchallenge: () => ticket,
      });
      connection.onopen = (session) => resolve({ session });
      connection.onclose = (_reason, { reason }) => {
        resolve({ ...(reason !== null && { reason }) });
        return true;
      };
      connection.open();
    });

  it('are the dynamic authenticator and the authorizer of the router, from the first client on', async () => {
    const daemon = await started([LOGINS], { realms, websocket: dynamic('com.example.authenticate') });
    const messages = messagesOf(daemon);
    expect(messages.lastIndexOf('component started')).toBeLessThan(messages.indexOf('transport started'));
    const { session } = await login(daemon, 'joe', 'secret!!!');
    expect(await session?.call('com.example.sum', [1, 2, 3])).toBe(6);
    await expect(session?.call('com.example.forbidden')).rejects.toMatchObject({ error: 'wamp.error.not_authorized' });
    expect(await login(daemon, 'joe', 'wrong')).toEqual({ reason: 'com.example.wrong_ticket' });
    expect(await login(daemon, 'eve', 'secret!!!')).toEqual({ reason: 'com.example.no_such_user' });
  });

  it('may be functions, which may deny as authenticators of Crossbar.io do', async () => {
    const callbacks = { join: 'logins.deny_all' };
    const daemon = await started([LOGINS, { type: 'function', callbacks, role: 'backend' }], {
      realms,
      paths: { late: { type: 'websocket', ...dynamic('com.example.authenticate_late') } },
    });
    expect(await login(daemon, 'joe', 'secret!!!', '/late')).toEqual({ reason: 'com.example.closed' });
  });

  it('call each other, and bytes stay bytes', async () => {
    const daemon = await started(['parts.Echo', 'parts.Caller']);
    await daemon.waitForLog(said("got b'\\x00\\x01\\xff' of type bytes"));
    expect(daemon.logs.filter(({ msg }) => msg === 'component host started')).toHaveLength(1);
  });

  it('get what the config says, and are heard in the log by every way', async () => {
    const options = { env: { inherit: ['PATH'], vars: { STAGE: 'test' } } };
    const component = { classname: 'parts.Shows', id: 'shows', extra: { a: [1] } };
    const daemon = await started([component], { options });
    const pid = hostPid(daemon);
    const output = { level: 'info', worker: 'worker001', pid, stream: 'stdout', msg: 'output of the process' };
    await daemon.waitForLog(said('beside found'));
    const lines = [`extra [('a', [1]), ('cbdir', '${daemon.cbdir}')]`, 'stage test, home None', 'who shows anonymous'];
    for (const line of lines) expect(daemon.logs).toContainEqual(expect.objectContaining({ ...output, line }));
    const log = { msg: 'log of the process', pid };
    await daemon.waitForLog(said("from Python's logger"));
    const warned = { ...log, level: 'warn', logger: 'parts.Shows', line: "from Autobahn's logger" };
    expect(daemon.logs).toContainEqual(expect.objectContaining(warned));
    expect(daemon.logs).toContainEqual(
      expect.objectContaining({ ...log, level: 'error', logger: 'own', line: "from Python's logger" }),
    );
  });

  it('are who the config says, whoever they say they are', async () => {
    const daemon = await started([{ classname: 'parts.Greedy', id: 'greedy' }]);
    const joined = daemon.logs.find(({ msg }) => msg === 'session joined');
    expect(joined).toMatchObject({ realm: 'realm1', authid: 'greedy', authrole: 'anonymous', authmethod: 'component' });
  });

  it('live through exceptions in handlers, and answer every call', async () => {
    const daemon = await started(['parts.Echo']);
    const client = await join(daemon);
    const zero = await client.ask([48, 1, {}, 'com.example.zero']);
    expect(zero.slice(4)).toEqual(['wamp.error.runtime_error', ['division by zero']]);
    expect((await client.ask([48, 2, {}, 'com.example.object']))[4]).toBe('wamp.error.invalid_payload');
    client.send([16, 3, {}, 'com.example.fail']);
    expect(await daemon.waitForLog(({ trace }) => String(trace).includes('the handler failed'))).toMatchObject({
      level: 'error',
    });
    expect((await client.ask([48, 4, {}, 'com.example.here']))[3]).toEqual(['here']);
  });

  it('may leave: nobody else ends', async () => {
    const daemon = await started(['parts.Leaves', 'parts.Echo']);
    const client = await join(daemon);
    client.send([48, 1, {}, 'com.example.leave']);
    const left = ({ msg, component }: LogRecord) => msg === 'component left its realm' && component === 'component002';
    expect(await daemon.waitForLog(left)).toMatchObject({ level: 'warn' });
    expect(daemon.logs.filter(({ msg }) => msg === 'component left its realm')).toHaveLength(2);
    expect((await client.next())[0]).toBe(8);
    await join(daemon);
  });

  it('whose onJoin never ends keep nobody waiting for ever', async () => {
    const daemon = await started(['parts.Endless', 'parts.Echo']);
    const told = 'component goes on with onJoin: it is not waited for';
    expect(daemon.logs.filter(({ msg }) => msg === told)).toMatchObject([{ level: 'warn', component: 'component001' }]);
    const client = await join(daemon);
    expect((await client.ask([48, 1, {}, 'com.example.here']))[3]).toEqual(['here']);
  });

  it('cannot fill the log', async () => {
    const daemon = await started(['parts.Flood']);
    await daemon.waitForLog('lines of the process left out: there were too many');
    const lines = daemon.logs.filter(({ msg }) => msg === 'output of the process');
    expect(lines.length).toBeLessThan(15_000);
    await join(daemon);
  });
});

describePython('a component of Python that cannot start', () => {
  const OLD = 'def greet():\n    print "hello"\n';
  /** With 16 MiB more than the process has by then: more is refused. To touch much memory takes long on some machines. */
  const EATS = [
    'import resource',
    'from autobahn.twisted.wamp import ApplicationSession',
    'class It(ApplicationSession):',
    '    def onJoin(self, details):',
    "        pages = int(open('/proc/self/statm').read().split()[0])",
    '        most = pages * resource.getpagesize() + (1 << 24)',
    '        resource.setrlimit(resource.RLIMIT_AS, (most, most))',
    '        self.all = [bytearray(1 << 20) for _ in range(1000)]',
  ].join('\n');
  const WITHOUT = `#!/bin/sh\nexec ${PYTHON} -S "$@"\n`;
  it.each<[string, object, string, string, Files?]>([
    ['no module', { classname: 'nothing.Here' }, 'import', 'there is no module "nothing" in '],
    ['no class', { classname: 'parts.Nothing' }, 'import', 'has no "Nothing"'],
    ['another class', { classname: 'parts.Plain' }, 'import', 'is no autobahn.twisted.wamp.ApplicationSession'],
    [
      'no package',
      { classname: 'needs.It' },
      'import',
      "No module named 'numpie'",
      { 'app/needs.py': 'import numpie\n' },
    ],
    ['a SyntaxError', { classname: 'bad.It' }, 'import', 'SyntaxError: ', { 'app/bad.py': 'class It(:\n' }],
    ['Python 2', { classname: 'old.It' }, 'import', "Missing parentheses in call to 'print'", { 'app/old.py': OLD }],
    ['its constructor', { classname: 'parts.BadConstructor' }, 'construct', 'ValueError: no database'],
    ['its onJoin', { classname: 'parts.BadJoin' }, 'onJoin', 'wamp.error.no_such_procedure'],
    ['its memory', { classname: 'eats.It' }, 'onJoin', 'MemoryError', { 'app/eats.py': EATS }],
    ['sys.exit', { classname: 'parts.BadExit' }, 'onJoin', 'SystemExit: 3'],
  ])('keeps the node from starting, in one line: %s', async (_, component, stage, problem, files = {}) => {
    const daemon = await failed([component], { files });
    const record = await daemon.waitForLog('component failed');
    expect(record).toMatchObject({ level: 'error', component: 'component001', stage });
    expect(record['problem']).toContain(problem);
    expect(daemon.stderr.trim().split('\n')).toHaveLength(1);
    expect(daemon.stderr).toContain(`component component001 (/workers/0/components/0): ${stage}: `);
    expect(messagesOf(daemon)).not.toContain('transport started');
  });

  it.each<[string, string, string, string?]>([
    ['is not there', '/no/python', '/no/python (options.python) is no program that this user may run'],
    [
      'has no Autobahn',
      'without',
      'has no package "autobahn", which components and applications need: install it with `apt install',
      WITHOUT,
    ],
    ['is none', 'none', 'Python ended before it said hello (exit code 3)', '#!/bin/sh\nexit 3\n'],
  ])('because its Python %s', async (_, name, problem, script) => {
    const cbdir = pythonDirectory();
    const python = path.resolve(cbdir, name);
    if (script !== undefined) writeFileSync(python, script, { mode: 0o755 });
    const daemon = spawnDaemon({ cbdir, config: pythonConfig(['parts.Echo'], { options: { python } }) });
    daemons.push(daemon);
    expect((await daemon.exited).code).toBe(1);
    expect(daemon.stderr.trim().split('\n')).toHaveLength(1);
    expect(daemon.stderr).toContain(problem);
  });

  it('because there is no Python at all', async () => {
    const daemon = await failed(['parts.Echo'], {
      options: { python: undefined },
      env: { PATH: '/no/such', VIRTUAL_ENV: '' },
    });
    expect(daemon.stderr).toContain('there is no python3 in the PATH: install it with `apt install python3-autobahn`');
  });

  it('is left out where the config says that the node goes on', async () => {
    const controller = { options: { shutdown: 'shutdown_on_shutdown_requested' } };
    const daemon = await started(['parts.BadJoin', 'parts.Echo'], { controller });
    expect(daemon.logs).toContainEqual(
      expect.objectContaining({ level: 'warn', msg: 'node goes on without a component', component: 'component001' }),
    );
    const client = await join(daemon);
    expect((await client.ask([48, 1, {}, 'com.example.here']))[3]).toEqual(['here']);
  });
});

it('the host says so where Python is too old: Python 2 can read its first file', () => {
  const text = readFileSync(path.resolve(import.meta.dirname, '../../python/host.py'), 'utf8');
  expect(text).toMatch(/^[\n\r -~]*$/);
  expect(text).not.toMatch(/\bf["']|:=|\b(nonlocal|async|await|print)\b|->|raise .* from|except \w+, /);
});

describePython('the example', () => {
  it('of docs/python.md works as it stands there', async () => {
    const text = readFileSync(path.resolve(import.meta.dirname, '../../docs/python.md'), 'utf8');
    const component = JSON.parse(/^```json\n([^]*?)^```/m.exec(text)?.[1] ?? '') as object;
    const code = /^```python\n([^]*?)^```/m.exec(text)?.[1] ?? '';
    const role = { name: 'backend', permissions: ALLOW_ALL };
    const realms = [{ name: 'realm1', roles: [role, { name: 'anonymous', permissions: ALLOW_ALL }] }];
    const daemon = await started([component], { files: { 'app/hello.py': code }, realms });
    const client = await join(daemon);
    expect((await client.ask([48, 1, {}, 'com.example.greet', ['Ann']]))[3]).toEqual(['Hello, Ann!']);
  });
});

describePython('a Python process that dies', () => {
  it('ends the node, as a worker does', async () => {
    const daemon = await started(['parts.Echo']);
    (await join(daemon)).send([48, 1, {}, 'com.example.exit']);
    expect((await daemon.exited).code).toBe(1);
    expect(daemon.logs).toContainEqual(
      expect.objectContaining({ level: 'error', msg: 'component host ended', host: 'Python', code: 7 }),
    );
    const told = { msg: 'a worker has ended, and the node ends with it', worker: 'worker001' };
    expect(daemon.logs).toContainEqual(expect.objectContaining(told));
  });

  it('ends nobody else where the config says so', async () => {
    const controller = { options: { shutdown: 'shutdown_on_shutdown_requested' } };
    const daemon = await started(['parts.Echo'], { controller });
    const client = await join(daemon);
    client.send([48, 1, {}, 'com.example.exit']);
    expect((await client.next())[4]).toBe('wamp.error.canceled');
    const left = await daemon.waitForLog('component left its realm');
    expect(left).toMatchObject({ level: 'error', reason: 'its process has ended (exit code 7)' });
    expect(await daemon.stop()).toBe(0);
  });
});

describePython('when the node ends', () => {
  it('in order, the components leave after the clients, and their process ends', async () => {
    const daemon = await started(['parts.Echo']);
    const client = await join(daemon);
    const pid = hostPid(daemon);
    expect(await daemon.stop()).toBe(0);
    expect((await client.closed).code).toBe(1001);
    const left = daemon.logs.filter(({ msg }) => msg === 'session left').map(({ authid }) => authid);
    expect(left).toHaveLength(2);
    expect(left[1]).toBe('component001');
    expect(daemon.logs).toContainEqual(
      expect.objectContaining({ level: 'info', msg: 'component host ended', code: 0 }),
    );
    expect(messagesOf(daemon).at(-1)).toBe('node stopped');
    expect(daemon.logs.filter(({ level }) => level === 'warn' || level === 'error').map(({ msg }) => msg)).toEqual([
      'config warning',
    ]);
    expect(isAlive(pid)).toBe(false);
    expect(daemon.stderr).toBe('');
  });

  it('one that does not leave is killed', async () => {
    const daemon = await started(['parts.Sleeps']);
    const pid = hostPid(daemon);
    expect(await daemon.stop()).toBe(0);
    expect(messagesOf(daemon)).toContain('component host killed: it did not stop');
    expect(isAlive(pid)).toBe(false);
  });

  it.each(['idle', 'spins'])('by kill -9, no process is left: %s', async (state) => {
    const daemon = await started(['parts.Echo']);
    const pids = [hostPid(daemon), ...descendantsOf(daemon.pid)];
    if (state === 'spins') {
      (await join(daemon)).send([48, 1, {}, 'com.example.spin']);
      await daemon.waitForLog(said('spins'));
    }
    await daemon.kill();
    await untilGone(pids);
  });
});
