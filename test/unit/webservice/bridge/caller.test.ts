/** What a `caller` calls, and how results and errors come back. */
import { describe, expect, it } from 'vitest';

import { CallError, Result } from '../../../../src/client/api.js';
import type { Endpoint } from '../../../../src/client/api.js';
import { BridgeWorld, refusal } from '../../../support/bridge.js';
import type { BridgeParts } from '../../../support/bridge.js';
import { openExchange } from '../../../support/exchange.js';

const PROCEDURE = 'com.example.do';

async function withEndpoint(endpoint: Endpoint, parts?: BridgeParts): Promise<BridgeWorld> {
  const world = new BridgeWorld('caller', parts);
  const joe = await world.join();
  await joe.register(PROCEDURE, endpoint);
  return world;
}

describe('a caller', () => {
  it.each<[string, unknown, string]>([
    ['nothing', undefined, '{"args":[null]}'],
    ['null', null, '{"args":[null]}'],
    ['one value', 23, '{"args":[23]}'],
    ['a list', [1, 2], '{"args":[[1,2]]}'],
    ['an empty list', [], '{"args":[[]]}'],
    ['an object', { a: 1 }, '{"args":[{"a":1}]}'],
    ['several values', new Result([1, 'two']), '{"args":[1,"two"]}'],
    ['only keywords', new Result([], { a: 1 }), '{"kwargs":{"a":1}}'],
    ['both', new Result([1], { a: [2, '},['] }), '{"args":[1],"kwargs":{"a":[2,"},["]}}'],
    ['a byte string', new Uint8Array([0, 1, 2]), String.raw`{"args":["\u0000AAEC"]}`],
    ['a large integer', 9007199254740993n, '{"args":[9007199254740993]}'],
    ['text', 'é😀\u2028"', '{"args":["é😀\u2028\\""]}'],
  ])('answers with %s', async (_case, value, body) => {
    const answer = await (await withEndpoint(() => value)).post({ procedure: PROCEDURE });
    expect([answer.status, answer.body]).toEqual([200, body]);
  });

  it('passes arguments on, whatever they are called', async () => {
    const world = await withEndpoint((args, kwargs) => new Result([args, kwargs]));
    const kwargs = { options: 1, procedure: 2, args: 3 };
    const answer = await world.post({ procedure: PROCEDURE, args: [1, [2]], kwargs, options: 'passed over' });
    expect(JSON.parse(answer.body)).toEqual({ args: [[1, [2]], kwargs] });
  });

  it('answers an error of the callee with 200, its URI and its arguments', async () => {
    const world = await withEndpoint(() => {
      throw new CallError('com.example.error.sold_out', ['none left', 0], { until: 'monday' });
    });
    const answer = await world.post({ procedure: PROCEDURE });
    expect([answer.status, answer.body]).toEqual([
      200,
      '{"error":"com.example.error.sold_out","args":["none left",0],"kwargs":{"until":"monday"}}',
    ]);
  });

  it.each([
    ['com.example.nothing', 'anonymous', 'wamp.error.no_such_procedure', 404],
    [PROCEDURE, 'closed', 'wamp.error.not_authorized', 403],
    ['wamp.session.get', 'anonymous', 'wamp.error.invalid_argument', 500],
  ])(
    'answers %s for the role %s with %s: 200, or %i where the config asks for it',
    async (procedure, role, error, status) => {
      for (const [error_status, expected] of [
        [false, 200],
        [true, status],
      ] as const) {
        const world = await withEndpoint(() => 1, { role, options: { error_status } });
        const answer = await world.post({ procedure });
        expect(answer.status).toBe(expected);
        expect(JSON.parse(answer.body)).toEqual({ error, args: [expect.any(String)], kwargs: expect.anything() });
      }
    },
  );

  it.each([
    ['a procedure that is a list', { procedure: [] }, '"procedure" must be a string, got a list'],
    ['a procedure that is no URI', { procedure: 'com..x' }, 'invalid procedure URI "com..x"'],
    ['args that are no list', { procedure: PROCEDURE, args: 'x' }, '"args" must be a list'],
    ['kwargs that are no object', { procedure: PROCEDURE, kwargs: 1 }, '"kwargs" must be an object'],
  ])('refuses %s', async (_case, body, text) => {
    const answer = await new BridgeWorld('caller').post(body);
    expect([answer.status, answer.body]).toEqual([400, refusal(text)]);
  });

  it('gives a call the time that the config says', async () => {
    let called = (): void => undefined;
    const isCalled = new Promise<void>((resolve) => (called = resolve));
    const endpoint: Endpoint = (_args, _kwargs, { signal }) => {
      called();
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('late'))));
    };
    const world = await withEndpoint(endpoint, { options: { timeout: 5000, error_status: true } });
    const answer = world.post({ procedure: PROCEDURE });
    await isCalled;
    world.clock.advance(5000);
    const { status, body } = await answer;
    expect([status, JSON.parse(body)]).toMatchObject([504, { error: 'wamp.error.timeout' }]);
  });

  it('cancels the call of a client that has left, so that the callee stops', async () => {
    const aborted: string[] = [];
    let called = (): void => undefined;
    let stopped = (): void => undefined;
    const isCalled = new Promise<void>((resolve) => (called = resolve));
    const isStopped = new Promise<void>((resolve) => (stopped = resolve));
    const world = await withEndpoint((_args, _kwargs, { signal }) => {
      called();
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted.push('stopped');
          stopped();
          reject(new Error('canceled'));
        });
      });
    });
    const { request, res, socket } = openExchange({ method: 'POST', body: JSON.stringify({ procedure: PROCEDURE }) });
    const handled = world.service.handle(request, res);
    await isCalled;
    socket.destroy();
    await isStopped;
    await handled;
    expect(aborted).toEqual(['stopped']);
    expect(socket.sent).toBe('');
    expect(world.router.size['realm1']).toMatchObject({ calls: 0 });
  });
});
