/**
 * docs/clients.md: its config and its programs as they stand there, all of them on one node; its table of what works over what,
 * cell by cell; and what does not work fails as it says.
 */
import autobahn from 'autobahn';
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Wampy } from 'wampy';
import { CborSerializer } from 'wampy/CborSerializer.js';
import { JsonSerializer } from 'wampy/JsonSerializer.js';
import { MsgpackSerializer } from 'wampy/MsgpackSerializer.js';
import { WebSocket } from 'ws';
import type { Daemon } from '../support/daemon.js';
import { startDaemon, temporaryDirectory } from '../support/daemon.js';
import { mailbox } from '../support/mailbox.js';
import { describeNeeds, itNeeds } from '../support/needs.js';
import { hasAutobahn, PYTHON } from '../support/python.js';
import { within } from '../support/wamp-client.js';

// It tells of every connection that it lost.
autobahn.log.warn = () => undefined;

const ROOT = path.resolve(import.meta.dirname, '../..');
const API = path.join(ROOT, 'test/clients/autobahn_python_api.py');
const page = readFileSync(path.join(ROOT, 'docs/clients.md'), 'utf8');
const SHOP_TICKET = 'a ticket of this test';
const CREDENTIALS = { realm: 'realm1', authid: 'shop', authmethods: ['ticket'] };

const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))].map(([, text = '']) => text);

/** The rows of the table below a heading, or behind another table, by their first cell. */
const rows = new Map(
  [...page.matchAll(/^\| ([^|]+?) +\| ([^|]+?) +\|(?: ([^|]+?) +\|)?$/gm)]
    .filter(([, name = '']) => !/^(library|-+)$/.test(name))
    .map(([, name = '', ...cells]) => [name, cells] as const),
);

let node: Daemon;
let sockets: { ws: string; rs: string };
beforeAll(async () => {
  const config = (blocks('yaml')[0] ?? '').replaceAll(/port: 808\d/g, 'port: 0');
  node = await startDaemon({ config, configName: 'config.yaml', env: { SHOP_TICKET } });
  sockets = { ws: node.url('/ws', 'ws'), rs: `rs://127.0.0.1:${String(node.listening()[1]?.['port'])}` };
});
afterAll(() => node.dispose());

interface Opened {
  readonly session: autobahn.Session;
  readonly connection: autobahn.Connection;
}

/** Logs in with autobahn-js. */
function openAutobahn(transport: 'ws' | 'rs', serializer?: string): Promise<Opened> {
  const { JSONSerializer, MsgpackSerializer: Msgpack, CBORSerializer } = autobahn.serializer;
  const Chosen = { json: JSONSerializer, msgpack: Msgpack, cbor: CBORSerializer }[serializer ?? 'json'];
  const serializers = Chosen && [new Chosen()];
  const rawSocket = { type: 'rawsocket', host: '127.0.0.1', port: Number(new URL(sockets.rs).port), serializers };
  const connection = new autobahn.Connection({
    ...CREDENTIALS,
    transports: [transport === 'rs' ? rawSocket : { type: 'websocket', url: sockets.ws, serializers }],
    max_retries: 0,
    use_es6_promises: true,
    onchallenge: () => SHOP_TICKET,
  });
  const opened = new Promise<Opened>((resolve, reject) => {
    connection.onopen = (session) => resolve({ session, connection });
    connection.onclose = (why, details) => {
      reject(new Error(`${why}: ${String(details.reason)}`));
      return true;
    };
  });
  connection.open();
  return within(opened, 'session of autobahn-js');
}

interface Program {
  readonly name: string;
  readonly command: readonly string[];
  readonly text: string;
  readonly transport: 'ws' | 'rs';
}

const js = blocks('js');
const python = blocks('python');
const programs: readonly Program[] = [
  { name: 'autobahn', command: [process.execPath, 'autobahn.mjs'], text: js[0] ?? '', transport: 'ws' },
  { name: 'wampy', command: [process.execPath, 'wampy.mjs'], text: js[1] ?? '', transport: 'ws' },
  { name: 'asyncio', command: [PYTHON, 'asyncio_service.py'], text: python[0] ?? '', transport: 'ws' },
  { name: 'twisted', command: [PYTHON, 'twisted_service.py'], text: python[1] ?? '', transport: 'ws' },
  { name: 'twisted', command: [PYTHON, 'twisted_service.py'], text: python[1] ?? '', transport: 'rs' },
];

function run(
  { command: [program = '', file = ''], text, transport }: Program,
  { ticket = SHOP_TICKET, url = sockets[transport] } = {},
): ChildProcess {
  const cwd = temporaryDirectory();
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(cwd, 'node_modules'));
  writeFileSync(path.join(cwd, file), text);
  return spawn(program, [file], {
    cwd,
    env: { ...process.env, SHOP_TICKET: ticket, WAMP_URL: url },
    stdio: ['ignore', 'ignore', 'ignore'],
  });
}

describe('the programs', () => {
  it('are all that the page has, under their names', () => {
    expect([js.length, python.length]).toEqual([2, 2]);
    for (const { command } of programs) expect(page).toContain(`\`${command[1] ?? ''}\``);
  });

  describeNeeds('python3-autobahn and python3-twisted', hasAutobahn)('work', () => {
    let here: Opened;
    const started = mailbox<unknown>();
    beforeAll(async () => {
      here = await openAutobahn('ws');
      await here.session.subscribe('com.example.started', ([name]) => started.put(name));
    });
    afterAll(() => here.connection.close());

    it.each(programs)('$name over $transport', async (program) => {
      const child = run(program);
      const ended = once(child, 'exit');
      expect(await within(started.take(), 'event of the program')).toBe(program.name);
      expect(await here.session.call(`com.example.${program.name}.add`, [2, 3])).toBe(5);
      child.kill('SIGKILL');
      await ended;
    });
  });

  itNeeds('python3-autobahn', hasAutobahn)('that do not come back by themselves end with a wrong ticket', async () => {
    for (const program of programs.filter(({ name }) => name === 'autobahn' || name === 'asyncio')) {
      await within(once(run(program, { ticket: 'wrong' }), 'exit'), 'end of the program');
    }
  });
});

itNeeds('python3-autobahn', hasAutobahn)('what the log says of those that may not register, and who ends', async () => {
  const config = (blocks('yaml')[0] ?? '')
    .replaceAll(/port: 808\d/g, 'port: 0')
    .replace('com.example.*', 'com.other.*');
  const args = ['--loglevel', 'debug'];
  const closed = await startDaemon({ config, configName: 'config.yaml', env: { SHOP_TICKET }, args });
  const children = programs.slice(0, 4).map((program) => {
    const child = run(program, { url: closed.url('/ws', 'ws') });
    return { child, name: program.name, ended: once(child, 'exit') };
  });
  for (const { child, name, ended } of children) {
    const uri = `com.example.${name}.add`;
    const denied = await closed.waitForLog((record) => record.msg === 'action denied' && record['uri'] === uri);
    expect(denied).toMatchObject({ authrole: 'backend', action: 'register', rule: 'no rule matches' });
    if (name === 'autobahn' || name === 'wampy') expect(await within(ended, 'end of the program')).toEqual([1, null]);
    else {
      expect(child.exitCode).toBeNull();
      child.kill('SIGKILL');
      await ended;
    }
  }
  await closed.dispose();
});

/** What the table says of a library and a transport; `no` is an empty list. */
const saidOf = (library: string, transport: 'ws' | 'rs'): readonly string[] => {
  const cell = rows.get(library)?.[transport === 'ws' ? 0 : 1] ?? 'not in the table';
  return cell === 'no' ? [] : cell.split(', ');
};
const SERIALIZERS = ['json', 'msgpack', 'cbor'] as const;

/** Runs the probe. @returns what it said in the end, on both outputs. */
function api(framework: string, api: string, url: string, serializer: string): Promise<{ said: string; ok: boolean }> {
  return new Promise((resolve) => {
    const env = { ...process.env, SHOP_TICKET };
    execFile(PYTHON, [API, framework, api, url, serializer], { env }, (error, stdout, stderr) =>
      resolve({ said: stdout + stderr, ok: error === null && stdout.includes('joined') }),
    );
  });
}

/** What of a list passes a test. */
async function those<T>(all: readonly T[], passes: (one: T) => Promise<boolean>): Promise<T[]> {
  const results = await Promise.all(all.map(passes));
  return all.filter((_one, index) => results[index]);
}

describe('the table', () => {
  it('has these libraries', () => {
    expect([...rows.keys()]).toEqual([
      'autobahn-js 22, in a browser',
      'autobahn-js 22, in Node.js',
      'wampy 8, in Node.js',
      ...['asyncio', 'Twisted'].flatMap((framework) => [
        `autobahn-python, ${framework} ApplicationRunner`,
        `autobahn-python, ${framework} Component`,
      ]),
      ...['autobahn-js', 'wampy', 'autobahn-python'],
    ]);
    for (const name of ['autobahn', 'wampy']) {
      const file = path.join(ROOT, `node_modules/${name}/package.json`);
      const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
      expect(page).toContain(`${name === 'wampy' ? name : 'autobahn-js'} ${version.split('.')[0] ?? ''},`);
    }
  });

  // What it has no words for cannot be tried: autobahn-js writes JSON on RawSocket whatever it is asked for.
  it.each([['ws', SERIALIZERS] as const, ['rs', ['json']] as const])(
    'autobahn-js over %s',
    async (transport, tried) => {
      const works = await those<string>(tried, async (serializer) => {
        const { connection } = await openAutobahn(transport, serializer);
        connection.close();
        return true;
      });
      expect(works).toEqual(saidOf('autobahn-js 22, in Node.js', transport));
    },
  );

  it.each(['ws', 'rs'] as const)('wampy over %s', async (transport) => {
    const makers = { json: JsonSerializer, msgpack: MsgpackSerializer, cbor: CborSerializer };
    const works = await those(SERIALIZERS, async (serializer) => {
      const client = new Wampy(sockets[transport], {
        ...CREDENTIALS,
        serializer: new makers[serializer](),
        onChallenge: () => SHOP_TICKET,
        ws: WebSocket as unknown as NonNullable<ConstructorParameters<typeof Wampy>[1]>['ws'] & object,
      });
      const joined = await client.connect().then(
        () => true,
        () => false,
      );
      if (joined) await client.disconnect();
      return joined;
    });
    expect(works).toEqual(saidOf('wampy 8, in Node.js', transport));
  });

  describeNeeds('python3-autobahn, python3-twisted and python3-cbor2', hasAutobahn)('autobahn-python', () => {
    const cells = ['asyncio', 'twisted'].flatMap((framework) =>
      ['ApplicationRunner', 'Component'].flatMap((kind) =>
        (['ws', 'rs'] as const).map((transport) => [framework, kind, transport] as const),
      ),
    );
    it.each(cells)('%s %s over %s', async (framework, kind, transport) => {
      const name = framework === 'twisted' ? 'Twisted' : framework;
      const said = saidOf(`autobahn-python, ${name} ${kind}`, transport);
      // What does not work fails before any serializer matters.
      const tried = said.length === 0 ? (['cbor'] as const) : SERIALIZERS;
      const works = await those<string>(
        tried,
        async (serializer) => (await api(framework, kind, sockets[transport], serializer)).ok,
      );
      expect(works).toEqual(said);
    });

    it('fails as the page says', async () => {
      const component = await api('asyncio', 'Component', sockets.ws, 'cbor');
      const rawSocket = await api('asyncio', 'ApplicationRunner', sockets.rs, 'cbor');
      const quoted = [...page.matchAll(/`(AttributeError: [^`]+)`/g)].map(([, text = '']) => text);
      expect(quoted).toHaveLength(2);
      expect([component.said, rawSocket.said]).toEqual(quoted.map((text) => expect.stringContaining(text) as string));
    });
  });

  it('names the methods that test/integration/authentication-clients.test.ts tries', () => {
    const text = readFileSync(path.join(ROOT, 'test/integration/authentication-clients.test.ts'), 'utf8');
    const parts = text.split(/^describe/m).slice(1);
    const words = { ticket: /ticket/, 'WAMP-CRA': /wampcra/i, cryptosign: /cryptosign/, SCRAM: /'scram'/ };
    for (const [index, library] of ['autobahn-js', 'wampy', 'autobahn-python'].entries()) {
      const tried = Object.entries(words).filter(([, word]) => word.test(parts[index] ?? ''));
      expect(rows.get(library)?.[0]).toBe(tried.map(([name]) => name).join(', '));
    }
  });
});
