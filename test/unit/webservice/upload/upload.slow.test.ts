/** The service: what it answers, in which order it looks at things, and what it tells by events. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { connectLocal } from '../../../../src/client/connect.js';
import type { ClientSession } from '../../../../src/client/api.js';
import { BodyMemory } from '../../../../src/http/body-memory.js';
import { silentLogger } from '../../../../src/log/logger.js';
import { Router } from '../../../../src/router/router.js';
import { CookieSection, TrackedService } from '../../../../src/webservice/cookies.js';
import { createWebService } from '../../../../src/webservice/registry.js';
import { machineFiles } from '../../../../src/webservice/upload/files.js';
import type { UploadConfig } from '../../../../src/webservice/upload/schema.js';
import { UploadService } from '../../../../src/webservice/upload/upload.js';
import type { UploadMachine } from '../../../../src/webservice/upload/upload.js';
import { webServiceContract } from '../../../contract/web-service.js';
import { recordingLog } from '../../../support/cookie-store.js';
import { diskNow } from '../../../support/disk-time.js';
import { temporaryDirectory } from '../../../support/daemon.js';
import { exchange, openExchange, parseResponse } from '../../../support/exchange.js';
import type { Exchange, ExchangeRequest } from '../../../support/exchange.js';
import { FakeClock } from '../../../support/realm.js';
import { FORM_TYPE, formBody, pieceFields, pieceForm, pieceQuery, uploadConfig } from '../../../support/upload.js';
import type { Piece } from '../../../support/upload.js';
import { cookieConfig, serviceDeps } from '../../../support/web.js';

const PROGRESS = 'com.example.progress';
const CONTENT = Buffer.from('0123456789abcdefghijklmno');

let directory: string;
beforeEach(() => {
  directory = path.join(temporaryDirectory(), 'uploaded');
});

type Options = Partial<UploadConfig['options']>;

interface Parts {
  readonly options?: Options;
  readonly deps?: Partial<Parameters<typeof serviceDeps>[0]>;
  readonly machine?: Partial<UploadMachine>;
  readonly realm?: string;
}

/** A router on which the service may publish to one topic and everybody may listen. */
function router(): Router {
  let lastId = 0;
  const publish = { uri: PROGRESS, match: 'prefix', allow: { publish: true } } as const;
  const listen = { uri: '', match: 'prefix', allow: { subscribe: true } } as const;
  const roles = [
    { name: 'uploader', permissions: [publish] },
    { name: 'page', permissions: [listen] },
    { name: 'member', permissions: [] },
  ];
  const parts = { randomId: () => ++lastId, clock: Date.now, scheduler: new FakeClock() };
  return new Router([{ name: 'realm1', roles }], parts);
}

const started: { stop?(): Promise<void> }[] = [];
afterEach(async () => {
  for (const service of started.splice(0)) await service.stop?.();
});

function create({ options = {}, deps, machine, realm = 'realm1' }: Parts = {}): UploadService {
  const config = uploadConfig(directory, { options, realm });
  return new UploadService(config, serviceDeps({ router: router(), clock: diskNow, ...deps }), machine);
}

async function start(parts?: Parts): Promise<UploadService> {
  const service = create(parts);
  started.push(service);
  await service.start();
  return service;
}

type Sent = Piece & Pick<ExchangeRequest, 'headers'>;

const AT = { mount: '/upload', rest: '' };

function post(service: UploadService, { headers = {}, ...piece }: Sent): Promise<Exchange> {
  const body = pieceForm(piece).toString('latin1');
  return exchange(service, { ...AT, method: 'POST', body, headers: { 'Content-Type': FORM_TYPE, ...headers } });
}

function test(service: UploadService, { headers = {}, ...piece }: Sent): Promise<Exchange> {
  return exchange(service, { ...AT, query: pieceQuery(piece), headers });
}

function postForm(service: UploadService, body: Buffer, type = FORM_TYPE): Promise<Exchange> {
  return exchange(service, { ...AT, method: 'POST', body: body.toString('latin1'), headers: { 'Content-Type': type } });
}

const uploaded = (): string[] => readdirSync(directory).filter((name) => !name.startsWith('.'));
const read = (name: string): string => readFileSync(path.join(directory, name), 'utf8');
const unfinished = (): string[] => readdirSync(path.join(directory, '.unfinished'));
const said = ({ status, body }: Exchange): [number, string] => [status, body.split('\n')[1] ?? ''];

/** A page that listens to the events of uploads. */
async function listen(made: Router, topic = PROGRESS): Promise<{ events: unknown[]; session: ClientSession }> {
  const parts = { router: made, log: silentLogger() };
  const { session } = await connectLocal(parts, { realm: 'realm1', role: 'page', authid: 'page' });
  const events: unknown[] = [];
  await session.subscribe(topic, ([event]) => void events.push(event));
  return { events, session };
}

webServiceContract('upload', {
  create,
  path: '',
  methods: ['POST', 'GET', 'HEAD', 'OPTIONS'],
  validators: false,
  upgrades: false,
  body: { type: FORM_TYPE, text: pieceForm({ content: CONTENT, chunkSize: 10, number: 1 }).toString() },
});

describe('a file', () => {
  it('that comes in one piece is there', async () => {
    const service = await start();
    expect((await test(service, { content: CONTENT })).status).toBe(204);
    const answer = await post(service, { content: CONTENT });
    expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'no-store']);
    expect(uploaded()).toEqual(['a.bin']);
    expect(read('a.bin')).toBe(CONTENT.toString());
    expect(unfinished()).toEqual([]);
  });

  it.each([
    ['in order', [1, 2]],
    ['in another order', [2, 1]],
    ['twice', [1, 1, 2]],
  ])('that comes in pieces, %s, is there with the last one', async (_how, numbers) => {
    const service = await start();
    for (const number of numbers) {
      expect(existsSync(path.join(directory, 'a.bin'))).toBe(false);
      const piece = { content: CONTENT, chunkSize: 10, number };
      expect((await post(service, piece)).status).toBe(200);
    }
    expect(read('a.bin')).toBe(CONTENT.toString());
    expect(unfinished()).toEqual([]);
  });

  it('whose pieces come all at once is there once', async () => {
    const service = await start();
    const content = Buffer.from(Array.from({ length: 20 }, (_, n) => String.fromCharCode(97 + n).repeat(5)).join(''));
    const numbers = Array.from({ length: 20 }, (_, n) => n + 1);
    const both = [...numbers, ...numbers].map((number) => post(service, { content, chunkSize: 5, number }));
    const answers = await Promise.all(both);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(uploaded()).toEqual(['a.bin']);
    expect(read('a.bin')).toBe(content.toString());
  });

  it('goes on after a restart where it was', async () => {
    const first = await start();
    const [one, two] = [1, 2].map((number) => ({ content: CONTENT, chunkSize: 10, number }));
    if (one === undefined || two === undefined) throw new Error('two pieces');
    await post(first, one);
    expect((await test(first, one)).status).toBe(200);
    const second = await start();
    expect((await test(second, one)).status).toBe(200);
    expect((await test(second, two)).status).toBe(204);
    await post(second, two);
    expect(read('a.bin')).toBe(CONTENT.toString());
  });

  it('of which all pieces are there after a crash is made when somebody asks for one', async () => {
    const broken = {
      files: { ...machineFiles, link: () => Promise.reject(Object.assign(new Error(), { code: 'EIO' })) },
    };
    const first = await start({ machine: broken });
    await post(first, { content: CONTENT, chunkSize: 10, number: 1 });
    expect((await post(first, { content: CONTENT, chunkSize: 10, number: 2 })).status).toBe(500);
    expect(uploaded()).toEqual([]);
    let nowMs = diskNow();
    const second = await start({ deps: { clock: () => nowMs } });
    expect((await test(second, { content: CONTENT, chunkSize: 10, number: 1 })).status).toBe(200);
    expect(read('a.bin')).toBe(CONTENT.toString());
    // The other pieces are asked for next: they need not come again. Later the same file would be another one.
    expect((await test(second, { content: CONTENT, chunkSize: 10, number: 2 })).status).toBe(200);
    nowMs += 60_000;
    expect((await test(second, { content: CONTENT, chunkSize: 10, number: 2 })).status).toBe(204);
  });

  it('of the name of another one stands beside it', async () => {
    const service = await start();
    await post(service, { content: Buffer.from('first') });
    await post(service, { content: Buffer.from('second') });
    // A page that asks first means another one.
    expect((await test(service, { content: Buffer.from('second') })).status).toBe(204);
    await post(service, { content: Buffer.from('second') });
    expect(uploaded().sort()).toEqual(['a (1).bin', 'a (2).bin', 'a.bin']);
    expect(read('a.bin')).toBe('first');
  });

  it.each([
    ['../../evil.txt', 'evil.txt'],
    ['/etc/passwd', 'passwd'],
    ['a\\..\\..\\b.txt', 'b.txt'],
    ['.htaccess', 'htaccess'],
    [`${'x'.repeat(300)}.txt`, `${'x'.repeat(251)}.txt`],
    ['a b/../ü.csv', 'ü.csv'],
  ])('called %j is put into the directory', async (name, expected) => {
    const service = await start();
    const body = formBody(pieceFields({ content: CONTENT, name }), CONTENT);
    // What goes through `exchange` is text.
    const answer = await exchange(service, {
      ...AT,
      method: 'POST',
      body: body.toString('utf8'),
      headers: { 'Content-Type': FORM_TYPE },
    });
    expect(answer.status).toBe(200);
    expect(uploaded()).toEqual([expected]);
    expect(readdirSync(path.dirname(directory))).toEqual(['uploaded']);
  });

  it('of one visitor is not that of another one', async () => {
    const parts = { cookies: undefined, router: router() };
    const service = create({ deps: parts });
    const section = new CookieSection(cookieConfig(), serviceDeps());
    const tracked = new TrackedService(service, section, silentLogger());
    started.push(tracked);
    await tracked.start();
    const send = (cookie: string, text: string, number: number): Promise<Exchange> =>
      exchange(tracked, {
        ...AT,
        method: 'POST',
        body: pieceForm({ content: Buffer.from(text.repeat(20)), chunkSize: 10, number }).toString(),
        headers: { 'Content-Type': FORM_TYPE, cookie },
      });
    const cookies = await Promise.all(
      [1, 2].map(async () => (await exchange(tracked, AT)).headers['set-cookie']?.split(';')[0] ?? ''),
    );
    const [joe = '', ann = ''] = cookies;
    await send(joe, 'j', 1);
    await send(ann, 'a', 1);
    await send(ann, 'a', 2);
    await send(joe, 'j', 2);
    expect([read('a.bin'), read('a (1).bin')]).toEqual(['a'.repeat(20), 'j'.repeat(20)]);
  });
});

describe('what is refused', () => {
  it.each([
    ['no query of a piece', '?a=b', 400],
    ['a broken query', '?resumableFilename=%ff&x', 400],
  ])('a question with %s', async (_what, query, status) => {
    expect((await exchange(await start(), { ...AT, query })).status).toBe(status);
  });

  it('a file that is too large, by what the client says and by what it sends', async () => {
    const service = await start({ options: { max_file_size: 10 } });
    expect(said(await post(service, { content: CONTENT }))).toEqual([400, 'the file is larger than 10 bytes']);
    expect((await test(service, { content: CONTENT })).status).toBe(400);
    const fields = pieceFields({ content: CONTENT.subarray(0, 10) });
    expect(said(await postForm(service, formBody(fields, CONTENT)))).toEqual([
      400,
      'the piece is longer than 10 bytes',
    ]);
    const huge = { ...AT, method: 'POST', body: 'x', headers: { 'Content-Type': FORM_TYPE } };
    const { request, res, socket } = openExchange(huge);
    request.req.headers['content-length'] = '99999999999';
    await service.handle(request, res);
    expect(parseResponse(socket.sent).status).toBe(400);
    expect(uploaded()).toEqual([]);
    expect(unfinished()).toEqual([]);
  });

  it('more than the share of an address', async () => {
    const service = await start({ options: { max_unfinished_per_address: 1 } });
    const send = (remoteAddress: string | undefined, name: string): Promise<Exchange> =>
      exchange(service, {
        ...AT,
        method: 'POST',
        body: pieceForm({ content: CONTENT, chunkSize: 10, name }).toString(),
        headers: { 'Content-Type': FORM_TYPE },
        client: { remoteAddress },
      });
    expect((await send('2001:db8::1', 'a')).status).toBe(200);
    expect(said(await send('2001:db8::2', 'b'))).toEqual([503, 'too many uploads of this address are unfinished']);
    for (const address of ['2001:db8:0:1::1', '192.0.2.1', '127.0.0.1', undefined]) {
      expect((await send(address, 'b')).status).toBe(200);
    }
  });

  it('fields for which there is no memory, and keeps none of those that it has no use for', async () => {
    const memory = new BodyMemory(100_000);
    const service = await start({ machine: { memory } });
    const [known, unknown] = ['chunk_extra', 'of_the_page'].map((name) => [name, 'x'.repeat(16_000)] as const);
    const many = Array.from({ length: 5 }, (_, index) => [`page${String(index)}`, 'x'.repeat(16_000)] as const);
    const fields = pieceFields({ content: CONTENT });
    const form = (...more: readonly (readonly [string, string])[]): Buffer => formBody([...fields, ...more], CONTENT);
    // It comes in one piece here, which is charged, too.
    expect((await postForm(service, form(...many))).status).toBe(200);
    expect((await postForm(service, form(unknown ?? ['', '']))).status).toBe(200);
    memory.limitBytes = 40_000;
    expect(said(await postForm(service, form(known ?? ['', ''])))).toEqual([503, 'Too many requests are being read.']);
    expect(memory.bytes).toBe(0);
  });

  it('a type that the config does not name', async () => {
    const service = await start({ options: { file_types: ['.pdf', '.txt'] } });
    expect(said(await post(service, { content: CONTENT }))).toEqual([
      415,
      'only files of these types are taken: .pdf .txt',
    ]);
    expect((await post(service, { content: CONTENT, name: 'A.TXT' })).status).toBe(200);
  });

  const fields = pieceFields({ content: CONTENT });
  const form = formBody(fields, CONTENT);
  const LATE = formBody([], CONTENT).subarray(0, -'------boundaryOfATest--\r\n'.length - 2);
  it.each([
    ['no boundary', form, 'multipart/form-data', 400, 'the body is no form (multipart/form-data), or not all of it'],
    [
      'another boundary',
      form,
      'multipart/form-data; boundary=x',
      400,
      'the body is no form (multipart/form-data), or not all of it',
    ],
    ['another type', form, 'application/json', 415, 'The body must be of the type multipart/form-data.'],
    [
      'half a form',
      form.subarray(0, -6),
      FORM_TYPE,
      400,
      'the body is no form (multipart/form-data), or not all of it',
    ],
    [
      'half a file',
      form.subarray(0, form.length - 60),
      FORM_TYPE,
      400,
      'the body is no form (multipart/form-data), or not all of it',
    ],
    ['no file', formBody(fields, undefined), FORM_TYPE, 400, 'the form has no file'],
    [
      'a file in another field',
      formBody(fields, CONTENT, { field: 'x' }),
      FORM_TYPE,
      400,
      'the file must be in the field "file"',
    ],
    [
      'a field twice',
      formBody([...fields, ...fields.slice(0, 1)], CONTENT),
      FORM_TYPE,
      400,
      'the field "resumableChunkNumber" comes twice',
    ],
    ['a long field', formBody([['x', 'x'.repeat(20_000)]], CONTENT), FORM_TYPE, 400, 'a field of the form is too long'],
    [
      'many fields',
      formBody(
        Array.from({ length: 10_000 }, (_, n) => [`f${n}`, 'x'] as const),
        CONTENT,
      ),
      FORM_TYPE,
      400,
      'the form has too many fields',
    ],
    [
      'fields behind the file',
      Buffer.concat([form.subarray(0, form.length - 25), formBody([['on_progress', 'x']], undefined)]),
      FORM_TYPE,
      400,
      'the file must come after all other fields',
    ],
    [
      'two files',
      Buffer.concat([form.subarray(0, form.length - 25), LATE, Buffer.from('\r\n------boundaryOfATest--\r\n')]),
      FORM_TYPE,
      400,
      'the form has too many fields',
    ],
    [
      'fewer bytes than it says',
      formBody(fields, CONTENT.subarray(1)),
      FORM_TYPE,
      400,
      'the piece has 24 bytes instead of 25',
    ],
  ])('a body with %s', async (_what, body, type, status, text) => {
    const service = await start();
    expect(said(await postForm(service, body, type))).toEqual([status, text]);
    expect(uploaded()).toEqual([]);
    expect(unfinished()).toEqual([]);
    expect((await post(service, { content: CONTENT })).status).toBe(200);
  });

  it('a page of another site, before anything is done', async () => {
    const service = await start({ options: { allowed_origins: ['https://app.example.com'] } });
    const foreign = { headers: { origin: 'https://evil.example.com', host: 'node.example.com' } };
    expect((await post(service, { content: CONTENT, ...foreign })).status).toBe(403);
    expect((await test(service, { content: CONTENT, ...foreign })).status).toBe(403);
    expect(uploaded()).toEqual([]);
    const own = { headers: { origin: 'https://app.example.com', host: 'node.example.com' } };
    const answer = await post(service, { content: CONTENT, ...own });
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, 'https://app.example.com']);
    const preflight = await exchange(service, {
      ...AT,
      method: 'OPTIONS',
      headers: { ...own.headers, 'access-control-request-headers': 'x-a' },
    });
    expect([preflight.status, preflight.headers['access-control-allow-methods']]).toEqual([204, 'POST, GET, HEAD']);
  });

  it('a page that asks before it posts, and the operator learns of it', async () => {
    const { log, entries } = recordingLog();
    const service = await start({ deps: { log } });
    await exchange(service, { ...AT, method: 'OPTIONS', headers: { origin: 'https://evil.example' } });
    expect(entries).toContainEqual(expect.objectContaining({ msg: 'HTTP request refused', status: 403 }));
  });

  it('too many unfinished uploads', async () => {
    const service = await start({ options: { max_unfinished: 1 } });
    await post(service, { content: CONTENT, chunkSize: 10 });
    const answer = await post(service, { content: CONTENT, chunkSize: 11 });
    expect(said(answer)).toEqual([503, 'too many uploads are unfinished']);
    expect(answer.headers['retry-after']).toBe('5');
    expect((await post(service, { content: CONTENT, chunkSize: 10, number: 2 })).status).toBe(200);
    expect((await post(service, { content: CONTENT, chunkSize: 11 })).status).toBe(200);
  });

  it('what finds no memory', async () => {
    const memory = new BodyMemory(100);
    const service = await start({ machine: { memory } });
    expect((await post(service, { content: CONTENT })).status).toBe(503);
    expect(memory.bytes).toBe(0);
  });

  it.each([
    ['ENOSPC', 500],
    ['EDQUOT', 500],
    ['EROFS', 500],
    ['EMFILE', 503],
  ])('what the disk does not take (%s): %i, and a line in the log', async (code, status) => {
    const { log, entries } = recordingLog();
    let isFull = true;
    const append: typeof machineFiles.append = (...write) =>
      isFull ? Promise.reject(Object.assign(new Error('no'), { code })) : machineFiles.append(...write);
    const service = await start({ machine: { files: { ...machineFiles, append } }, deps: { log } });
    const answer = await post(service, { content: CONTENT });
    expect(answer.status).toBe(status);
    expect(answer.body).not.toContain(directory);
    expect(entries.filter(({ msg }) => msg === 'upload cannot be stored')).toHaveLength(1);
    expect(unfinished()).toEqual([]);
    isFull = false;
    expect((await post(service, { content: CONTENT })).status).toBe(200);
  });

  it('a body that is too slow', async () => {
    let after: UploadMachine['after'] = () => () => undefined;
    const armed = new Promise<() => void>((resolve) => {
      after = (_ms, callback) => {
        resolve(callback);
        return () => undefined;
      };
    });
    const memory = new BodyMemory();
    const service = await start({ machine: { after, memory } });
    const body = pieceForm({ content: CONTENT }).toString();
    const slow = openExchange({ ...AT, method: 'POST', body, isCut: true, headers: { 'Content-Type': FORM_TYPE } });
    const handled = service.handle(slow.request, slow.res);
    const expire = await armed;
    expire();
    await handled;
    await expect.poll(() => parseResponse(slow.socket.sent).status).toBe(408);
    expect([memory.bytes, unfinished()]).toEqual([0, []]);
  });

  it('a directory that is private to the node, at the start', async () => {
    await machineFiles.makeDirectory(directory);
    const service = create({ deps: { privatePaths: [directory, '/not/there'] } });
    await expect(service.start()).rejects.toThrow('what is in it is private to the node');
  });
});

describe('a role that visitors must have', () => {
  it('is that of the login of their cookie', async () => {
    const all = serviceDeps({ router: router() });
    const section = new CookieSection(cookieConfig(), all);
    const config = uploadConfig(directory, { options: { require_role: 'member' } });
    const service = createWebService(config, { ...all, cookies: section });
    started.push(service);
    await service.start?.();
    const tracker = await section.tracker();
    const cookieOf = async (authrole: string, authrealm = 'realm1'): Promise<string> => {
      const login = { authid: 'joe', authrole, authrealm, authmethod: 'ticket', authextra: null };
      return (await tracker.logIn(login, false)).setCookie.split(';')[0] ?? '';
    };
    const send = async (cookie?: string): Promise<[number, string]> => {
      const headers = { 'Content-Type': FORM_TYPE, ...(cookie !== undefined && { cookie }) };
      return said(
        await exchange(service, { ...AT, method: 'POST', body: pieceForm({ content: CONTENT }).toString(), headers }),
      );
    };
    const NO = [400, 'only visitors who are logged in with a certain role may upload here'];
    expect(await send()).toEqual(NO);
    expect(await send('cbtid=xxxxxxxxxxxxxxxxxxxxxxxx')).toEqual(NO);
    expect(await send(await cookieOf('page'))).toEqual(NO);
    expect(await send(await cookieOf('member', 'realm2'))).toEqual(NO);
    expect(uploaded()).toEqual([]);
    expect((await send(await cookieOf('member')))[0]).toBe(200);
    expect(uploaded()).toEqual(['a.bin']);
  });
});

describe('a piece that comes again, because its answer was lost', () => {
  const fields = { on_progress: PROGRESS };
  const steps = (events: unknown[]): unknown[] => (events as { status: string }[]).map(({ status }) => status);

  it.each([
    ['of the only piece', 100, [1, 1, 1], ['started', 'finished']],
    ['of one in the middle', 10, [1, 1, 2], ['started', 'progress', 'progress', 'finished']],
    ['of the last one', 10, [1, 2, 2, 2], ['started', 'progress', 'progress', 'finished']],
    ['of all of them', 10, [2, 1, 1, 2], ['started', 'progress', 'progress', 'finished']],
  ])('makes no second file, and is not told: %s', async (_which, chunkSize, numbers, told) => {
    const made = router();
    const { events } = await listen(made);
    const service = await start({ deps: { router: made } });
    for (const number of numbers) {
      expect((await post(service, { content: CONTENT, chunkSize, number, fields })).status).toBe(200);
    }
    await post(service, { content: CONTENT, name: 'behind', fields });
    await expect.poll(() => steps(events)).toEqual([...told, 'started', 'finished']);
    expect(uploaded().sort()).toEqual(['a.bin', 'behind']);
  });

  it('is another file when its content is another, also where some pieces are the same', async () => {
    const made = router();
    const { events } = await listen(made);
    const service = await start({ deps: { router: made } });
    const other = Buffer.concat([CONTENT.subarray(0, 10), Buffer.from('another ending')]).subarray(0, CONTENT.length);
    const other25 = Buffer.concat([other, Buffer.alloc(CONTENT.length - other.length, '.')]);
    for (const content of [CONTENT, other25]) {
      for (const number of [1, 2]) await post(service, { content, chunkSize: 10, number, fields });
    }
    expect([read('a.bin'), read('a (1).bin')]).toEqual([CONTENT.toString(), other25.toString()]);
    await expect.poll(() => steps(events).filter((status) => status === 'finished')).toHaveLength(2);
    expect(unfinished()).toEqual([]);
  });

  it('is another file a minute later, and what came of it alone is gone by then', async () => {
    let nowMs = diskNow();
    const service = await start({ deps: { clock: () => nowMs } });
    for (const number of [1, 2, 2]) await post(service, { content: CONTENT, chunkSize: 10, number });
    expect(unfinished()).toHaveLength(1);
    nowMs += 60_000;
    for (const number of [1, 2]) await post(service, { content: CONTENT, chunkSize: 10, number });
    expect(uploaded().sort()).toEqual(['a (1).bin', 'a.bin']);
  });
});

describe('progress', () => {
  const step = (parts: Record<string, unknown>) => ({
    ...{ id: '25-abin', name: 'a.bin', total: 25, chunk_extra: {} },
    ...parts,
  });

  it('of several pieces is told on the topic that the page names', async () => {
    const made = router();
    const { events } = await listen(made);
    const other = await listen(made, 'com.example.progress.other');
    const service = await start({ deps: { router: made } });
    const fields = { on_progress: PROGRESS, chunk_extra: '{"a":1}', finish_extra: '{"b":2}' };
    for (const number of [1, 2]) await post(service, { content: CONTENT, chunkSize: 10, number, fields });
    await expect.poll(() => events.length).toBe(4);
    const extra = { chunk_extra: { a: 1 } };
    expect(events).toEqual([
      step({ ...extra, status: 'started', chunk: 1, remaining: 25, progress: 0 }),
      step({ ...extra, status: 'progress', chunk: 1, remaining: 15, progress: 0.4 }),
      step({ ...extra, status: 'progress', chunk: 2, remaining: 0, progress: 1 }),
      step({ ...extra, status: 'finished', chunk: 2, remaining: 0, progress: 1, finish_extra: { b: 2 } }),
    ]);
    expect(other.events).toEqual([]);
  });

  it('of one piece is its begin and its end, with the name that it got', async () => {
    const made = router();
    const { events } = await listen(made);
    const service = await start({ deps: { router: made } });
    await post(service, { content: Buffer.from(CONTENT).reverse() });
    await post(service, { content: CONTENT, fields: { on_progress: PROGRESS } });
    await expect.poll(() => events.length).toBe(2);
    expect(events).toEqual([
      step({ status: 'started', chunk: 1, remaining: 25, progress: 0 }),
      step({ status: 'finished', name: 'a (1).bin', chunk: 1, remaining: 0, progress: 1 }),
    ]);
  });

  it('is told to one session alone where the page says which', async () => {
    const made = router();
    const [mine, other] = [await listen(made), await listen(made)];
    const service = await start({ deps: { router: made } });
    await post(service, { content: CONTENT, fields: { on_progress: PROGRESS, session: String(mine.session.id) } });
    await post(service, { content: Buffer.from(CONTENT).reverse(), fields: { on_progress: PROGRESS } });
    await expect.poll(() => other.events.length).toBe(2);
    expect(mine.events).toHaveLength(4);
  });

  it.each(['com.example.other', 'wamp.session.on_join'])(
    'on %s, which the role may not, is refused before a byte is kept',
    async (topic) => {
      const service = await start();
      const answer = await post(service, { content: CONTENT, fields: { on_progress: topic } });
      expect(said(answer)).toEqual([400, 'progress may not be told on that topic']);
      expect([uploaded(), unfinished()]).toEqual([[], []]);
    },
  );

  it('that cannot be told does not keep a file from coming', async () => {
    const { log, entries } = recordingLog();
    const service = await start({ realm: 'realm2', deps: { log } });
    expect((await post(service, { content: CONTENT, fields: { on_progress: PROGRESS } })).status).toBe(200);
    expect(uploaded()).toEqual(['a.bin']);
    await expect.poll(() => entries.some(({ msg }) => msg === 'progress of an upload cannot be told')).toBe(true);
  });
});
