/** What a `webhook` publishes of what is posted, and the signatures of GitHub. */
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { BridgeWorld, refusal } from '../../../support/bridge.js';
import type { BridgeParts } from '../../../support/bridge.js';
import { exchange } from '../../../support/exchange.js';

const TOPIC = 'com.example.hook';
const SECRET = "It's a Secret to Everybody";
const BODY = 'Hello, World!';

const webhook = (parts?: BridgeParts): BridgeWorld => new BridgeWorld('webhook', parts);
const github = (options: object = {}): BridgeWorld => webhook({ options: { github_secret: SECRET, ...options } });
const digest = (hash: string, secret = SECRET): string =>
  `${hash}=${createHmac(hash, secret).update(BODY).digest('hex')}`;

describe('a webhook', () => {
  it('publishes headers and body, and answers with 202 and a text', async () => {
    const world = webhook();
    const events = await world.events(TOPIC);
    const answer = await world.post('{"ref": "main"}', { headers: { 'x-github-EVENT': 'push', 'X-ONE': '1' } });
    expect([answer.status, answer.headers['content-type'], answer.body]).toEqual([
      202,
      'text/plain; charset=utf-8',
      'OK',
    ]);
    const headers = { 'Content-Type': ['application/json'], 'X-Github-Event': ['push'], 'X-One': ['1'] };
    expect(events).toEqual([{ args: [{ headers, body: '{"ref": "main"}' }], kwargs: {} }]);
  });

  it('has every value of a header that comes more than once, also if it is called __proto__', async () => {
    const world = webhook();
    const events = await world.events(TOPIC);
    await world.post(BODY, { headers: { 'X-Way': 'one', 'x-way': 'two', ['__proto__']: 'x' } });
    const [{ headers }] = (events[0]?.args ?? []) as [{ headers: object }];
    expect(Object.entries(headers)).toEqual([
      ['Content-Type', ['application/json']],
      ['X-Way', ['one', 'two']],
      ['__proto__', ['x']],
    ]);
  });

  it('publishes an empty body, and any other', async () => {
    const world = webhook();
    const events = await world.events(TOPIC);
    expect((await exchange(world.service, { method: 'POST' })).status).toBe(202);
    for (const body of ['', 'a=1&b=2', '{"a"', '\uFEFFx']) expect((await world.post(body)).status).toBe(202);
    const bodies = events.map(({ args }) => (args as { body: unknown }[])[0]?.body);
    expect(bodies).toEqual(['', '', 'a=1&b=2', '{"a"', '\uFEFFx']);
  });

  it('publishes a body that is no UTF-8 as bytes, and says so', async () => {
    const world = webhook();
    const events = await world.events(TOPIC);
    expect((await world.post(Buffer.from([0xff, 0x00, 0x80]))).status).toBe(202);
    expect(events).toMatchObject([{ args: [{ body: new Uint8Array([0xff, 0x00, 0x80]), encoding: 'base64' }] }]);
  });

  it('has headers beyond ASCII as they were meant', async () => {
    const world = webhook();
    const events = await world.events(TOPIC);
    const wire = (text: string): string => Buffer.from(text).toString('latin1');
    await world.post(BODY, { headers: { 'X-Utf8': wire('Grüße'), 'X-Latin': 'Grüße' } });
    expect(events).toMatchObject([{ args: [{ headers: { 'X-Utf8': ['Grüße'], 'X-Latin': ['Grüße'] } }] }]);
  });

  it('keeps secrets to itself, unless it is asked to publish them', async () => {
    const secrets = {
      Authorization: 'Bearer x',
      Cookie: 'a=1',
      'X-Hub-Signature': digest('sha1'),
      'X-Hub-Signature-256': digest('sha256'),
    };
    for (const [secret_headers, names] of [
      [[], ['Content-Type']],
      [
        ['authorization', 'X-HUB-Signature'],
        ['Content-Type', 'Authorization', 'X-Hub-Signature'],
      ],
    ] as const) {
      const world = github({ secret_headers });
      const events = await world.events(TOPIC);
      expect((await world.post(BODY, { headers: secrets })).status).toBe(202);
      const [{ headers }] = (events[0]?.args ?? []) as [{ headers: object }];
      expect(Object.keys(headers)).toEqual(names);
    }
  });

  it('answers with the texts of the config', async () => {
    const options = { success_response: 'thank you', error_response: 'sorry' };
    const good = await webhook({ options }).post(BODY);
    expect([good.status, good.body]).toEqual([202, 'thank you']);
    const bad = await webhook({ options, role: 'closed' }).post(BODY);
    expect([bad.status, bad.headers['content-type'], bad.body]).toEqual([500, 'text/plain; charset=utf-8', 'sorry']);
  });

  it('refuses text of another character set', async () => {
    const answer = await webhook().post(BODY, { headers: { 'Content-Type': 'text/plain; charset=latin1' } });
    expect([answer.status, answer.body]).toEqual([400, refusal('the charset of the body must be utf-8')]);
  });
});

describe('a webhook of GitHub', () => {
  it('takes the example of GitHub', async () => {
    const headers = {
      'X-Hub-Signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
    };
    expect((await github().post(BODY, { headers })).status).toBe(202);
  });

  it.each<[string, Readonly<Record<string, string>>, number]>([
    ['SHA-1 alone', { 'X-Hub-Signature': digest('sha1') }, 202],
    ['both', { 'X-Hub-Signature': digest('sha1'), 'X-Hub-Signature-256': digest('sha256') }, 202],
    ['the better one alone', { 'X-Hub-Signature': 'sha1=x', 'X-Hub-Signature-256': digest('sha256') }, 202],
    ['the worse one alone', { 'X-Hub-Signature': digest('sha1'), 'X-Hub-Signature-256': 'sha256=x' }, 400],
    ['none', {}, 400],
    ['one by another secret', { 'X-Hub-Signature-256': digest('sha256', 'other') }, 400],
    ['one without its hash', { 'X-Hub-Signature-256': digest('sha256').slice(7) }, 400],
    ['one that is cut', { 'X-Hub-Signature-256': digest('sha256').slice(0, -2) }, 400],
    ['one with more behind it', { 'X-Hub-Signature-256': `${digest('sha256')}zz` }, 400],
    ['SHA-1 where SHA-256 belongs', { 'X-Hub-Signature-256': digest('sha1') }, 400],
  ])('with %s', async (_case, headers, status) => {
    const world = github();
    const events = await world.events(TOPIC);
    const answer = await world.post(BODY, { headers });
    expect(answer.status).toBe(status);
    if (status === 400) expect(answer.body).toBe(refusal('the signature of GitHub is missing, or does not fit'));
    expect(events).toHaveLength(status === 202 ? 1 : 0);
  });
});
