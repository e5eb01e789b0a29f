import { describe, expect, it } from 'vitest';

import { boundedFetch, ProviderAnswerError } from '../../../../../src/webservice/login/providers/bounded-fetch.js';

const answering = (response: () => Response) => {
  const asked: RequestInit[] = [];
  const fetch = boundedFetch((_url, options) => {
    asked.push(options);
    return Promise.resolve(response());
  });
  return { asked, fetch };
};

describe('what a provider answers', () => {
  it('is passed on whole, without what was true of its packing only', async () => {
    const { fetch } = answering(
      () => new Response('{"a":1}', { status: 400, headers: { 'Content-Encoding': 'gzip', 'X-A': 'b' } }),
    );
    const response = await fetch('https://id.example.com/', {});
    expect([response.status, await response.json()]).toEqual([400, { a: 1 }]);
    expect([...response.headers.keys()].sort()).toEqual(['content-type', 'x-a']);
  });

  it('may have no body', async () => {
    const { fetch } = answering(() => new Response(null, { status: 204 }));
    expect((await fetch('https://id.example.com/', {})).status).toBe(204);
  });

  it('is read up to a limit, and no further', async () => {
    let pulled = 0;
    const endless = (): Response =>
      new Response(
        new ReadableStream({
          pull(controller) {
            pulled += 1;
            controller.enqueue(new Uint8Array(65_536));
          },
        }),
      );
    const { fetch } = answering(endless);
    await expect(fetch('https://id.example.com/', {})).rejects.toThrow(ProviderAnswerError);
    expect(pulled).toBeLessThan(8);
  });

  it('is no redirect', async () => {
    const { fetch, asked } = answering(
      () => new Response(null, { status: 302, headers: { Location: 'https://elsewhere.example/' } }),
    );
    await expect(fetch('https://id.example.com/', { redirect: 'follow' })).rejects.toThrow('redirects');
    expect(asked[0]?.redirect).toBe('manual');
  });

  it('does not come over the network in the clear', async () => {
    const { fetch, asked } = answering(() => new Response());
    await expect(fetch('http://id.example.com/', {})).rejects.toThrow('without TLS');
    await expect(fetch('ftp://id.example.com/', {})).rejects.toThrow('without TLS');
    expect(asked).toEqual([]);
    for (const host of ['localhost', '127.0.0.1', '[::1]', 'id.localhost']) await fetch(`http://${host}:1/`, {});
    expect(asked).toHaveLength(4);
  });
});
