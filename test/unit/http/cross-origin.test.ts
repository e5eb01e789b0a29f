/** Which pages may ask a service that acts for them, and what their browsers are told. */
import { describe, expect, it } from 'vitest';

import { sendEmpty, sendStatus } from '../../../src/http/answer.js';
import { CrossOrigin } from '../../../src/http/cross-origin.js';
import { exchange } from '../../support/exchange.js';
import type { OriginOptions } from '../../../src/http/cross-origin.js';
import type { WebService } from '../../../src/http/service.js';
import type { Exchange } from '../../support/exchange.js';

const APP = 'https://app.example.com';

function service(options: Partial<OriginOptions> = {}): WebService {
  const rules = { allowed_origins: ['self', APP], allow_null_origin: false, ...options };
  const origins = new CrossOrigin(rules, ['POST', 'PUT']);
  return {
    methods: ['POST', 'PUT', 'OPTIONS'],
    handle({ req }, res) {
      if (req.method === 'OPTIONS') {
        origins.preflight(req, res);
        return;
      }
      const refusal = origins.admit(req, res);
      if (refusal === undefined) sendEmpty(res, 204);
      else sendStatus(res, refusal.status, refusal.text);
    },
  };
}

const ask = (origin?: string, { method = 'POST', options = {} } = {}): Promise<Exchange> =>
  exchange(service(options), {
    method,
    headers: {
      host: 'example.com:8080',
      'access-control-request-headers': 'content-type,x-own',
      ...(origin !== undefined && { origin }),
    },
  });

const corsOf = ({ headers }: Exchange): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')));

describe('a request', () => {
  it.each([
    ['no browser', undefined, 204],
    ['the host that was asked for', 'http://example.com:8080', 204],
    ['another port of it', 'https://example.com', 204],
    ['a page that the config names', APP, 204],
    ['another page', 'https://evil.example', 403],
    ['a page below the one that is named', 'https://app.example.com.evil.example', 403],
    ['a page without origin', 'null', 403],
  ])('of %s', async (_who, origin, status) => {
    const answer = await ask(origin);
    expect([answer.status, answer.headers['vary']]).toEqual([status, 'Origin']);
    const isReadable = status === 204 && origin !== undefined;
    expect(corsOf(answer)).toEqual(
      isReadable ? { 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true' } : {},
    );
  });

  it('of any page comes through where the config says so, and is told its own origin all the same', async () => {
    const options = { allowed_origins: ['*'], allow_null_origin: true };
    for (const origin of ['https://evil.example', 'null']) {
      const answer = await ask(origin, { options });
      expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([204, origin]);
    }
  });
});

describe('a preflight', () => {
  it('tells a page that may ask what it may send', async () => {
    const answer = await ask(APP, { method: 'OPTIONS' });
    expect([answer.status, answer.headers['allow']]).toEqual([204, 'POST, PUT, OPTIONS']);
    expect(corsOf(answer)).toEqual({
      'access-control-allow-origin': APP,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'POST, PUT',
      'access-control-allow-headers': 'content-type,x-own',
      'access-control-max-age': '600',
    });
  });

  it.each([undefined, 'https://evil.example'])(
    'tells others what the service takes, and no more: %s',
    async (origin) => {
      const answer = await ask(origin, { method: 'OPTIONS' });
      expect([answer.status, answer.headers['allow'], corsOf(answer)]).toEqual([204, 'POST, PUT, OPTIONS', {}]);
    },
  );
});
