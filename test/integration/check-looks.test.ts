/**
 * `check` sees what `start` sees: node directories in which something that the config names is missing or wrong. Each row has the
 * exact lines of `check`, and what the start of the same directory says.
 */
import { linkSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { formatProblem } from '../../src/config/error.js';
import type { Environment } from '../../src/config/environment.js';
import { loadConfig } from '../../src/config/load.js';
import { look } from '../../src/node/look.js';
import { Certificates, HAS_OPENSSL } from '../support/certificates.js';
import { nodeDirectory, runCli, spawnDaemon, startDaemon, temporaryDirectory } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { LOOPBACK, nodeConfig } from '../support/node-config.js';
import { configWith } from '../support/node-directory.js';
import { pythonConfig } from '../support/python.js';

interface Row {
  readonly config: object;
  /** Makes the files. */
  readonly prepare?: (cbdir: string) => void;
  /** Pointer and text of every problem; `CBDIR` stands for the node directory. */
  readonly problems: readonly string[];
  readonly warnings?: readonly string[];
}

const ENDPOINT = '/workers/0/transports/0/endpoint';
const overTls = (tls: object): object => nodeConfig({ transport: { endpoint: { ...LOOPBACK, tls } } });
const onSocket = (endpoint: object): object => nodeConfig({ transport: { endpoint: { type: 'unix', ...endpoint } } });
const withStore = (store: object): object => nodeConfig({ websocket: { cookie: { store } } });
const file = (name: string, text: string) => (cbdir: string) => writeFileSync(path.join(cbdir, name), text);

const ROWS: Readonly<Record<string, Row>> = {
  'a component whose file is not there': {
    config: configWith([{ module: './gone.mjs' }]),
    problems: [
      '/workers/0/components/0/module: module "./gone.mjs" cannot be imported: there is no file CBDIR/gone.mjs',
    ],
  },
  'a component whose package is not there': {
    config: configWith([{ module: 'not-there' }]),
    problems: [
      '/workers/0/components/0/module: there is no package "not-there" for CBDIR (a file is written as "./not-there")',
    ],
  },
  'a Python that is not there': {
    config: pythonConfig(['app.App'], { options: { python: '/no/python', pythonpath: ['app'] } }),
    problems: ['/workers/0/options/python: /no/python (options.python) is no program that this user may run'],
    warnings: ['/workers/0/options/pythonpath/0: there is no CBDIR/app, so no module is found there'],
  },
  'a Python of a web application that is not there': {
    config: pythonConfig([], {
      options: { python: '/no/python', pythonpath: ['app'] },
      paths: { a: { type: 'path', paths: { b: { type: 'wsgi', module: 'app', object: 'app' } } } },
    }),
    problems: ['/workers/0/options/python: /no/python (options.python) is no program that this user may run'],
    warnings: ['/workers/0/options/pythonpath/0: there is no CBDIR/app, so no module is found there'],
  },
  'an authenticator whose file is not there': {
    config: nodeConfig({ websocket: { auth: { ticket: { type: 'function', module: './gone.mjs' } } } }),
    problems: [
      '/workers/0/transports/0/paths/ws/auth/ticket/module: module "./gone.mjs" cannot be imported: there is no file CBDIR/gone.mjs',
    ],
  },
  'a cookie file without its directory': {
    config: withStore({ type: 'file', filename: 'gone/cookies.dat' }),
    problems: [
      '/workers/0/transports/0/paths/ws/cookie/store/filename: the cookie file CBDIR/gone/cookies.dat cannot be opened: there is no directory CBDIR/gone',
    ],
  },
  'a cookie file with a second name': {
    config: withStore({ type: 'file', filename: 'cookies.dat' }),
    prepare: (cbdir) => {
      file('cookies.dat', '')(cbdir);
      linkSync(path.join(cbdir, 'cookies.dat'), path.join(cbdir, 'copy.dat'));
    },
    problems: [
      '/workers/0/transports/0/paths/ws/cookie/store/filename: the cookie file CBDIR/cookies.dat cannot be opened: it has another name (hard link), so two nodes could write to it; give this node a copy',
    ],
  },
  'a cookie database without the directory around it': {
    config: withStore({ type: 'database', path: 'gone/cookies' }),
    problems: [
      '/workers/0/transports/0/paths/ws/cookie/store/path: the cookie database CBDIR/gone/cookies cannot be opened: there is no directory CBDIR/gone',
    ],
  },
  'a cookie database that is something else': {
    config: withStore({ type: 'database', path: 'cookies' }),
    prepare: (cbdir) => {
      mkdirSync(path.join(cbdir, 'cookies'));
      file('cookies/data.mdb', 'x'.repeat(8192))(cbdir);
    },
    problems: [
      '/workers/0/transports/0/paths/ws/cookie/store/path: the cookie database CBDIR/cookies cannot be opened: CBDIR/cookies/data.mdb is no LMDB file',
    ],
  },
  'a socket file without its directory': {
    config: onSocket({ path: 'gone/socket' }),
    problems: [`${ENDPOINT}/path: cannot listen on CBDIR/gone/socket: the directory does not exist (ENOENT)`],
  },
  'a file in the place of a socket file': {
    config: onSocket({ path: 'socket' }),
    prepare: file('socket', ''),
    problems: [`${ENDPOINT}/path: cannot listen on CBDIR/socket: a file that is no socket has this name`],
  },
  'a socket file with a long name': {
    config: onSocket({ path: 's'.repeat(120) }),
    problems: [
      `${ENDPOINT}/path: cannot listen on CBDIR/${'s'.repeat(120)}: the path is longer than 107 bytes, or that of its directory than 97`,
    ],
  },
  'a group that the machine does not have': {
    config: onSocket({ path: 'socket', group: 'no-such-group' }),
    problems: [
      `${ENDPOINT}/path: cannot listen on CBDIR/socket: no group "no-such-group" in /etc/group (one from elsewhere is written as its number)`,
    ],
  },
  'TLS files of which none is there': {
    config: overTls({ key: 'a.key', certificate: 'a.pem', chain_certificates: ['b.pem'], dhparam: 'dh.pem' }),
    problems: [
      `${ENDPOINT}/tls/key: CBDIR/a.key cannot be read: there is no such file (ENOENT)`,
      `${ENDPOINT}/tls/certificate: CBDIR/a.pem cannot be read: there is no such file (ENOENT)`,
      `${ENDPOINT}/tls/chain_certificates/0: CBDIR/b.pem cannot be read: there is no such file (ENOENT)`,
      `${ENDPOINT}/tls/dhparam: CBDIR/dh.pem cannot be read: there is no such file (ENOENT)`,
    ],
  },
};

/** Runs `check`, and gives its lines without the place in the file. Warnings of the text alone are left out. */
async function checked(cbdir: string): Promise<{ code: number | null; stdout: string; lines: string[] }> {
  const { code, stdout, stderr } = await runCli(['check', '--cbdir', cbdir]);
  const ofText = (await loadConfig({ cbdir, env: {} })).warnings.map((warning) => `warning: ${formatProblem(warning)}`);
  const lines = stderr
    .split('\n')
    .filter((line) => line !== '' && !ofText.includes(line))
    .map((line) => line.replaceAll(cbdir, 'CBDIR'));
  for (const line of lines) expect(line).toMatch(/^(?:warning: )?config\.json:[1-9]\d*:[1-9]\d*: \//);
  return { code, stdout, lines: lines.map((line) => line.replace(/config\.json:\d+:\d+: /, '')) };
}

async function expectRow({ config, prepare, problems, warnings = [] }: Row) {
  const cbdir = nodeDirectory(config);
  prepare?.(cbdir);
  const before = readdirSync(cbdir, { recursive: true });
  const { code, stdout, lines } = await checked(cbdir);
  expect(lines).toEqual([...warnings.map((text) => `warning: ${text}`), ...problems]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(readdirSync(cbdir, { recursive: true })).toEqual(before);

  const node = spawnDaemon({ cbdir });
  expect((await node.exited).code).toBe(1);
  const said = node.stderr.replaceAll(cbdir, 'CBDIR');
  // The start ends at the first.
  expect(said).toContain((problems[0] ?? '').replace(/^\/[^:]*: /, ''));
  await node.dispose();
}

describe('check finds, and start says the same:', () => {
  it.each(Object.entries(ROWS))('%s', async (_name, row) => {
    await expectRow(row);
  });
});

describe('check', () => {
  it('passes over what belongs to a worker that is switched off', async () => {
    const config = configWith([{ module: './gone.mjs' }]) as { workers: object[] };
    const workers = [{ ...config.workers[0], options: { disabled: true } }];
    const { code, lines } = await checked(nodeDirectory({ ...config, workers }));
    expect({ code, lines }).toEqual({ code: 0, lines: [] });
  });

  it('warns of a static directory that is not there, without which the node starts', async () => {
    const cbdir = nodeDirectory(nodeConfig({ paths: { files: { type: 'static', directory: 'web' } } }));
    const { code, lines } = await checked(cbdir);
    expect({ code, lines }).toEqual({
      code: 0,
      lines: [
        'warning: /workers/0/transports/0/paths/files/directory: cannot serve the static directory CBDIR/web: it does not exist',
      ],
    });
  });

  it.each([
    ['app.html', [`there is no file "app.html" in CBDIR/web: paths that do not exist get 404`]],
    [
      'readme.txt',
      [
        'found "readme.txt", and the directory "sub" has a file of this name, which does not answer for it: name the page of directories with "index"',
      ],
    ],
    ['other.txt', []],
    ['sub/readme.txt', []],
  ])('warns of a default_file that answers for nothing, or is meant for directories: %s', async (file, problems) => {
    const options = { default_file: file };
    const cbdir = nodeDirectory(nodeConfig({ paths: { files: { type: 'static', directory: 'web', options } } }));
    mkdirSync(path.join(cbdir, 'web/sub'), { recursive: true });
    mkdirSync(path.join(cbdir, 'web/pages'));
    for (const name of ['readme.txt', 'sub/readme.txt', 'other.txt', 'pages/other.txt', 'pages/index.html'])
      writeFileSync(path.join(cbdir, 'web', name), name);
    const { code, lines } = await checked(cbdir);
    const pointer = '/workers/0/transports/0/paths/files/options/default_file';
    expect({ code, lines }).toEqual({ code: 0, lines: problems.map((problem) => `warning: ${pointer}: ${problem}`) });
  });

  it('warns of a directory of web sessions that is not there, without which the node starts', async () => {
    const store = { type: 'file', directory: 'sessions' };
    const session = { type: 'express', secrets: ['a secret of sixteen'], store, authid: 'user', role: 'anonymous' };
    const { code, lines } = await checked(nodeDirectory(nodeConfig({ websocket: { auth: { session } } })));
    expect({ code, lines }).toEqual({
      code: 0,
      lines: [
        'warning: /workers/0/transports/0/paths/ws/auth/session/store/directory: cannot be read at the moment (ENOENT), so users of the web application are refused',
      ],
    });
  });

  it('warns of scripts and a processor that are not there, without which the node starts', async () => {
    const cgi = (directory: string, processor: string): object => ({ type: 'cgi', directory, processor });
    const paths = {
      gone: cgi('gone', 'sh'),
      none: cgi('cgi', 'no-such-program'),
      there: cgi('cgi', '/no/such/program'),
    };
    const cbdir = nodeDirectory(nodeConfig({ paths: { ...paths, deep: cgi('cgi', './beside-the-script') } }));
    mkdirSync(path.join(cbdir, 'cgi'));
    const loaded = await loadConfig({ cbdir, env: {} });
    const { warnings, problems } = await look(loaded, { cbdir, env: { PATH: '/usr/bin:/bin' } });
    const at = '/workers/0/transports/0/paths';
    expect(warnings.map(({ pointer, text }) => `${pointer}: ${text.replaceAll(cbdir, 'CBDIR')}`)).toEqual([
      `${at}/gone/directory: there is no directory CBDIR/gone: requests get 404`,
      `${at}/none/processor: there is no program "no-such-program" in the PATH (/usr/bin:/bin): requests get 500`,
      `${at}/there/processor: there is no program "/no/such/program": requests get 500`,
    ]);
    expect(problems).toEqual([]);
  });

  it('finds scripts that would be private files', async () => {
    const cgi = { type: 'cgi', directory: '.', processor: 'sh' };
    const cbdir = nodeDirectory(nodeConfig({ paths: { cgi } }));
    const { code, lines } = await checked(cbdir);
    expect(code).toBe(1);
    expect(lines).toEqual([
      expect.stringMatching(/^\/workers\/0\/transports\/0\/paths\/cgi\/directory: cannot run the scripts of CBDIR: /),
    ]);
  });

  it('warns of a guest that cannot start, without which the node does', async () => {
    const cbdir = nodeDirectory({
      version: 2,
      workers: [
        { type: 'guest', executable: 'no-such-program' },
        { type: 'guest', executable: 'node', options: { workdir: 'gone' } },
        { type: 'guest', executable: 'node', options: { watch: { directories: ['.', 'src'] } } },
        { type: 'guest', executable: 'no-such-program', options: { disabled: true } },
      ],
    });
    const { code, stdout, stderr } = await runCli(['check', '--cbdir', cbdir], { env: { PATH: '/usr/bin' } });
    const lines = stderr.split('\n').map((line) => line.replaceAll(cbdir, 'CBDIR'));
    expect({ code, stdout }).toEqual({ code: 0, stdout: `OK: ${cbdir}/config.json\n` });
    expect(lines.filter((line) => line.startsWith('warning'))).toEqual([
      'warning: config.json:6:21: /workers/0/executable: there is no program "no-such-program", neither in CBDIR nor in the PATH (/usr/bin)',
      'warning: config.json:12:20: /workers/1/options/workdir: there is no directory CBDIR/gone',
      'warning: config.json:22:13: /workers/2/options/watch/directories/1: there is no directory CBDIR/src',
    ]);
  });

  it('says what is started instead of "python" where there is none', async () => {
    const bin = temporaryDirectory();
    writeFileSync(path.join(bin, 'python3'), '#!/bin/sh\n', { mode: 0o755 });
    const cbdir = nodeDirectory({ version: 2, workers: [{ type: 'guest', executable: 'python' }] });
    const loaded = await loadConfig({ cbdir, env: {} });
    const { warnings } = await look(loaded, { cbdir, env: { PATH: bin } });
    expect(warnings.map(({ pointer, text }) => `${pointer}: ${text}`)).toEqual([
      `/workers/0/executable: there is no program "python": ${bin}/python3 is taken instead`,
    ]);
  });

  it('says where no Python is found, and takes that of a virtual environment', async () => {
    const virtual = temporaryDirectory();
    mkdirSync(path.join(virtual, 'bin'));
    writeFileSync(path.join(virtual, 'bin/python'), '#!/bin/sh\n', { mode: 0o755 });
    const cbdir = nodeDirectory(pythonConfig(['app.App'], { options: { python: undefined } }));
    const loaded = await loadConfig({ cbdir, env: {} });
    const seenWith = async (env: Environment) => (await look(loaded, { cbdir, env })).problems;
    const [problem] = await seenWith({ PATH: temporaryDirectory() });
    expect(`${problem?.pointer}: ${problem?.text}`).toMatch(
      /^\/workers\/0: there is no python3 in the PATH: install it/,
    );
    expect(await seenWith({ VIRTUAL_ENV: virtual })).toEqual([]);
  });

  it('disturbs no node that runs in the directory, and finds nothing wrong in what that holds', async () => {
    const daemon = await startDaemon({
      config: {
        version: 2,
        workers: ['file', 'database'].map((type) => ({
          type: 'router',
          realms: [{ name: 'realm1', roles: [{ name: 'anonymous' }] }],
          transports: [
            {
              type: 'websocket',
              endpoint: { type: 'unix', path: `${type}.sock` },
              cookie: { store: { type, ...(type === 'file' ? { filename: 'cookies.dat' } : { path: 'cookies' }) } },
            },
          ],
        })),
      },
    });
    const { cbdir } = daemon;
    const files = (): string[] => readdirSync(cbdir, { recursive: true, encoding: 'utf8' }).sort();
    const before = files();
    expect(before).toEqual(expect.arrayContaining(['cookies.dat', 'database.sock', 'file.sock', 'node.pid']));
    expect(await checked(cbdir)).toEqual({ code: 0, stdout: `OK: ${cbdir}/config.json\n`, lines: [] });
    expect(files()).toEqual(before);
    const { code, stdout } = await runCli(['cookies', 'list', '--cbdir', cbdir]);
    expect({ code, stdout }).toMatchObject({ code: 0 });
    await daemon.dispose();
  });

  it('warns of damaged lines in a cookie file, and leaves the file as it is', async () => {
    const cbdir = nodeDirectory(withStore({ type: 'file', filename: 'cookies.dat' }));
    file('cookies.dat', 'damaged\n')(cbdir);
    const { code, lines } = await checked(cbdir);
    expect({ code, lines }).toEqual({
      code: 0,
      lines: [
        'warning: /workers/0/transports/0/paths/ws/cookie/store/filename: CBDIR/cookies.dat has lines that cannot be read (1): the start of the node sets them aside',
      ],
    });
    expect(readdirSync(cbdir)).toEqual(['config.json', 'cookies.dat']);
  });
});

describeNeeds('the openssl command', HAS_OPENSSL)('check looks at certificates:', () => {
  let certificates: Certificates;
  let all: object;
  const at = (name: string) => certificates.file(name);
  beforeAll(() => {
    certificates = new Certificates(temporaryDirectory());
    certificates.openssl('pkey', '-in', 'server.key', '-aes256', '-passout', 'pass:secret', '-out', 'locked.key');
    certificates.write('no.pem', 'nothing');
    all = { key: at('server.key'), certificate: at('server.pem'), chain_certificates: [at('intermediate.pem')] };
  });

  it.each<[string, () => object, () => readonly string[]]>([
    [
      'a key of another certificate',
      () => ({ key: at('root.key') }),
      () => [`key: ${at('root.key')} does not belong to the certificate in ${at('server.pem')}`],
    ],
    [
      'an encrypted key',
      () => ({ key: at('locked.key') }),
      () => [
        `key: ${at('locked.key')} cannot be used: the key is encrypted with a passphrase (decrypt it with "openssl pkey")`,
      ],
    ],
    [
      'no certificate in PEM',
      () => ({ ca_certificates: [at('no.pem')] }),
      () => [`ca_certificates/0: ${at('no.pem')} cannot be used: no certificate in PEM (`],
    ],
    [
      'no parameters in PEM',
      () => ({ dhparam: at('no.pem') }),
      () => [
        `dhparam: ${at('no.pem')} cannot be used: no Diffie-Hellman parameters in PEM, or too short ones (no block "DH PARAMETERS")`,
      ],
    ],
  ])('%s', async (_name, tls, expected) => {
    const cbdir = nodeDirectory(overTls({ ...all, ...tls() }));
    const { code, lines } = await checked(cbdir);
    expect(code).toBe(1);
    expect(lines).toHaveLength(expected().length);
    for (const [index, text] of expected().entries()) expect(lines[index]).toContain(`${ENDPOINT}/tls/${text}`);
    const node = spawnDaemon({ cbdir });
    expect((await node.exited).code).toBe(1);
    expect(node.stderr).toContain(`endpoint/tls/${expected()[0] ?? ''}`);
    await node.dispose();
  });

  it('warns of a gap in the chain, and of the end of a certificate by the clock that it is given', async () => {
    const cbdir = nodeDirectory(overTls({ ...all, chain_certificates: [] }));
    const config = await loadConfig({ cbdir, env: {} });
    const seen = async (days: number): Promise<string[]> => {
      const clock = () => Date.now() + days * 86_400_000;
      const { problems, warnings } = await look(config, { cbdir, clock });
      expect(problems).toEqual([]);
      return warnings.map(({ pointer, text }) => `${pointer}: ${text.replace(/(valid\w+): [^,)]+/g, '$1')}`);
    };
    const [place, name] = [`${ENDPOINT}/tls/certificate`, at('server.pem')];
    const gap = `${place}: the certificate of the issuer is missing: clients that do not know it refuse the connection (see chain_certificates) (file: ${name}, issuer: CN=intermediate)`;
    expect(await seen(0)).toEqual([gap]);
    expect(await seen(1.9)).toEqual([
      `${place}: a certificate of this transport ends soon (file: ${name}, validTo)`,
      gap,
    ]);
    expect(await seen(3)).toEqual([
      `${place}: a certificate of this transport is not valid now (file: ${name}, validFrom, validTo)`,
      gap,
    ]);
  });
});
