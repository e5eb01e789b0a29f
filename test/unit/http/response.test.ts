import { describe, expect, it } from 'vitest';

import { openExchange, parseResponse } from '../../support/exchange.js';

/** The headers of a response that `prepare` fills. */
function headersAfter(
  prepare: (res: ReturnType<typeof openExchange>['res']) => void,
): Readonly<Record<string, string>> {
  const { res, socket } = openExchange();
  prepare(res);
  res.end();
  return parseResponse(socket.sent).headers;
}

describe('the Cache-Control of a response that sets a cookie', () => {
  it.each([
    ['max-age=43200, public', 'max-age=43200, private'],
    ['public, max-age=60, s-maxage=600', 'max-age=60, private'],
    ['no-store', 'no-store, private'],
    ['Private', 'private'],
    ['', 'private'],
  ])('%j becomes %j', (given, sent) => {
    const headers = headersAfter((res) => {
      res.appendHeader('Set-Cookie', 'a=b');
      if (given !== '') res.setHeader('Cache-Control', given);
    });
    expect(headers['cache-control']).toBe(sent);
  });

  it('is made private also when the headers come with writeHead', () => {
    const asObject = headersAfter((res) =>
      res.writeHead(200, { 'Set-Cookie': ['a=b', 'c=d'], 'Cache-Control': 'public' }),
    );
    expect(asObject).toMatchObject({ 'set-cookie': 'a=b, c=d', 'cache-control': 'private' });
    const flat = ['Cache-Control', 'public', 'Set-Cookie', 'a=b', 'Set-Cookie', 'c=d'];
    const asList = headersAfter((res) => res.writeHead(200, 'Fine', flat));
    expect(asList).toMatchObject({ 'set-cookie': 'a=b, c=d', 'cache-control': 'private' });
  });
});

it('leaves the Cache-Control of other responses alone', () => {
  expect(headersAfter((res) => res.setHeader('Cache-Control', 'public'))['cache-control']).toBe('public');
  expect(headersAfter(() => undefined)).not.toHaveProperty('cache-control');
});
