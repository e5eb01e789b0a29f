/** Time limits of a reverse proxy. */
import { describe, expect, it } from 'vitest';

import { setUp } from '../../../support/proxy.js';

const GET = 'GET /a HTTP/1.1\r\nHost: us.example:81\r\n\r\n';

describe('a proxy', () => {
  it('asks a backend that does not know the question after a moment', async () => {
    const { backend, client } = await setUp(() => undefined);
    client.socket.write('PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
    await client.until(({ text }) => text.includes('100 Continue'));
    client.socket.write('hello');
    await (await backend.connection()).until(({ text }) => text.endsWith('hello'));
  });

  it('is too slow: 504', async () => {
    const { client, backend } = await setUp(() => undefined, { options: { timeout: 1 } });
    client.socket.write(GET);
    expect((await client.until(({ text }) => text.includes('does not answer'))).text).toMatch(/^HTTP\/1.1 504 /);
    await (await backend.connection()).until(({ isEnded }) => isEnded);
  });
});
