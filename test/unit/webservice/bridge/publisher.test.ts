/** What a `publisher` publishes, and what it answers. */
import { describe, expect, it } from 'vitest';

import { BridgeWorld, refusal } from '../../../support/bridge.js';
import type { BridgeParts } from '../../../support/bridge.js';

const TOPIC = 'com.example.hello';
const publisher = (parts?: BridgeParts): BridgeWorld => new BridgeWorld('publisher', parts);

describe('a publisher', () => {
  it('publishes, and answers with the id of the publication', async () => {
    const world = publisher();
    const joe = await world.join();
    const heard: unknown[] = [];
    await joe.subscribe(TOPIC, (args, kwargs, { publication }) => void heard.push({ args, kwargs, publication }));
    const answer = await world.post({ topic: TOPIC, args: ['Hello', 23], kwargs: { a: [1] } });
    expect(answer.status).toBe(200);
    const { id } = JSON.parse(answer.body) as { id: number };
    expect(answer.body).toBe(`{"id":${String(id)}}`);
    expect(heard).toEqual([{ args: ['Hello', 23], kwargs: { a: [1] }, publication: id }]);
  });

  it.each(['null', '[]', '[ ]', '{}', '{ }', '""', '0', '-0', '0.0', '0e5', 'false'])(
    'takes %s for no arguments, whichever they are',
    async (nothing) => {
      const world = publisher();
      const events = await world.events(TOPIC);
      await world.post(`{"topic":"${TOPIC}","args":${nothing},"kwargs":${nothing}}`);
      await world.post(`{"topic":"${TOPIC}","args":${nothing},"kwargs":{"a":1}}`);
      await world.post(`{"topic":"${TOPIC}","args":[1],"kwargs":${nothing}}`);
      await world.post(`{"topic":"${TOPIC}","options":${nothing}}`);
      expect(events).toEqual([
        { args: [], kwargs: {} },
        { args: [], kwargs: { a: 1 } },
        { args: [1], kwargs: {} },
        { args: [], kwargs: {} },
      ]);
    },
  );

  it.each<[string, object, string]>([
    ['args that are an object', { args: { a: 1 } }, '"args" must be a list'],
    ['args that are a string', { args: 'Hello' }, '"args" must be a list'],
    ['args that are a number', { args: 1 }, '"args" must be a list'],
    ['kwargs that are a list', { kwargs: [1] }, '"kwargs" must be an object'],
    ['kwargs that are true', { kwargs: true }, '"kwargs" must be an object'],
    ['options that are a list', { options: [1] }, '"options" must be an object'],
    ['a topic that is a number', { topic: 7 }, '"topic" must be a string, got 7'],
    ['a topic that is null', { topic: null }, '"topic" must be a string, got null'],
    ['a topic that is empty', { topic: '' }, 'invalid topic URI ""'],
    ['a topic with a blank', { topic: 'com.my app' }, 'invalid topic URI "com.my app"'],
    ['retain that is a number', { options: { retain: 1 } }, 'PUBLISH.Options.retain must be a boolean, got 1'],
    [
      'exclude_me that is a string',
      { options: { exclude_me: 'no' } },
      'PUBLISH.Options.exclude_me must be a boolean, got a string',
    ],
    [
      'exclude of names',
      { options: { exclude: ['joe'] } },
      'PUBLISH.Options.exclude must be a list of session ids, got a list',
    ],
    [
      'eligible that is an object',
      { options: { eligible: { a: 1 } } },
      'PUBLISH.Options.eligible must be a list of session ids, got a dictionary',
    ],
    ...['exclude_authid', 'exclude_authrole', 'eligible_authid', 'eligible_authrole'].map(
      (name): [string, object, string] => [
        `${name} of numbers`,
        { options: { [name]: [7] } },
        `PUBLISH.Options.${name} must be a list of strings, got a list`,
      ],
    ),
    [
      'forward_for that is a string',
      { options: { forward_for: 'x' } },
      'PUBLISH.Options.forward_for must be a list of dictionaries, got a string',
    ],
  ])('refuses %s', async (_case, parts, text) => {
    const world = publisher();
    const events = await world.events(TOPIC);
    const answer = await world.post({ topic: TOPIC, ...parts });
    expect([answer.status, answer.body]).toEqual([400, refusal(text)]);
    expect(events).toEqual([]);
  });

  it('goes by the rule of the realm for URIs', async () => {
    const body = { topic: 'com.Example.Hello' };
    expect((await publisher().post(body)).status).toBe(200);
    expect((await publisher({ realmOptions: { uri_check: 'strict' } }).post(body)).status).toBe(400);
  });

  it.each([
    ['exclude', (id: number): unknown => [id]],
    ['exclude', (id: number): unknown => id],
    ['exclude_authid', (): unknown => ['joe']],
    ['exclude_authid', (): unknown => 'joe'],
    ['eligible', (): unknown => [1]],
    ['eligible_authid', (): unknown => 'nobody'],
    ['eligible_authrole', (): unknown => ['nobody']],
    ['exclude_authrole', (): unknown => ['anonymous']],
  ])('passes on %s', async (name, valueFor) => {
    const world = publisher();
    const joe = await world.join();
    const heard: unknown[] = [];
    await joe.subscribe(TOPIC, (args) => void heard.push(args));
    await world.post({ topic: TOPIC, args: ['not for joe'], options: { [name]: valueFor(joe.id) } });
    await world.post({ topic: TOPIC, args: ['for all'], options: { [name]: null } });
    expect(heard).toEqual([['for all']]);
  });

  it('keeps what is to be retained', async () => {
    const world = publisher();
    await world.post({ topic: TOPIC, args: ['kept'], options: { retain: true, exclude_me: false } });
    const heard: unknown[] = [];
    const joe = await world.join();
    await joe.subscribe(TOPIC, (args) => void heard.push(args), { get_retained: true });
    await joe.call('wamp.session.count');
    expect(heard).toEqual([['kept']]);
  });

  it('passes over options that it does not know, and those that are nobody else’s business', async () => {
    const world = publisher();
    const events = await world.events(TOPIC);
    const options = { acknowledge: false, disclose_me: true, ppt_scheme: 7, enc_algo: 'x', x: {}, forward_for: [{}] };
    const answer = await world.post({ topic: TOPIC, args: [1], options, more: [1, { a: '"}' }] });
    expect(answer.status).toBe(200);
    expect(events).toEqual([{ args: [1], kwargs: {} }]);
  });

  it('keeps keyword arguments that are called as its own keys', async () => {
    const world = publisher();
    const events = await world.events(TOPIC);
    const kwargs = { options: 1, topic: 2, args: 3, kwargs: 4, procedure: 5 };
    await world.post({ topic: TOPIC, kwargs });
    expect(events).toEqual([{ args: [], kwargs }]);
  });

  it('has values as any client of JSON', async () => {
    const world = publisher();
    const events = await world.events(TOPIC);
    await world.post(
      String.raw`{"topic":"${TOPIC}","args":[9007199254740993,-9223372036854775808,1.0,"\u0000AAEC","\u0000!","é😀"],"kwargs":{"__proto__":{"a":1}}}`,
    );
    expect(events[0]?.args).toEqual([
      9007199254740993n,
      -9223372036854775808n,
      1,
      new Uint8Array([0, 1, 2]),
      '\0!',
      'é😀',
    ]);
    expect(Object.keys(events[0]?.kwargs as object)).toEqual(['__proto__']);
  });

  it('reads keys that are escaped, and of those that stand twice the last one', async () => {
    const world = publisher();
    const events = await world.events(TOPIC);
    await world.post(String.raw`{"\u0074opic":"com.example.other","args":[1], "topic" : "${TOPIC}" ,"\u0061rgs":[2]}`);
    expect(events).toEqual([{ args: [2], kwargs: {} }]);
  });

  it.each([
    ['for the router', 'wamp.session.on_join', 'anonymous', 'wamp.error.invalid_uri'],
    ['that its role may not publish to', TOPIC, 'closed', 'wamp.error.not_authorized'],
  ])('answers a topic %s as WAMP does, with 200', async (_case, topic, role, error) => {
    const answer = await publisher({ role }).post({ topic });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({ error, args: [expect.any(String)], kwargs: expect.anything() });
  });

  it('says it with the status, where the config asks for it', async () => {
    const options = { error_status: true };
    expect((await publisher({ role: 'closed', options }).post({ topic: TOPIC })).status).toBe(403);
    expect((await publisher({ options }).post({ topic: 'wamp.x' })).status).toBe(500);
    expect((await publisher({ options }).post({ topic: TOPIC })).status).toBe(200);
  });
});
