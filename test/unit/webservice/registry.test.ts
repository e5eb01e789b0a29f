import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

import { sendAnswer } from '../../../src/http/answer.js';
import { BodyReader } from '../../../src/http/bodies.js';
import type { WebRequest, WebService } from '../../../src/http/service.js';
import { answeringServices } from '../../../src/webservice/path-tree.js';
import { WEB_SERVICES, createWebService } from '../../../src/webservice/registry.js';
import type { PathServiceConfig, PathsConfig } from '../../../src/webservice/schema.js';
import { SHIPPED } from '../../../src/worker/registry.js';
import { exchange } from '../../support/exchange.js';
import { cookieConfig, jsonConfig, serviceDeps } from '../../support/web.js';

it.each(Object.keys(WEB_SERVICES))('%s keeps the contract of web services in a test of its own', (word) => {
  const tests = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' });
  const texts = tests
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => readFileSync(path.join(import.meta.dirname, file), 'utf8'));
  expect(texts.filter((text) => text.includes(`webServiceContract('${word}'`))).toHaveLength(1);
});

describe('a new word', () => {
  const seen: WebRequest['cookie'][] = [];
  const fixture = {
    type: 'fixture',
    times: () => ({ bodyMs: 60_000 }),
    create(
      _config: unknown,
      { log }: { readonly log: ConstructorParameters<typeof BodyReader>[1]['log'] },
    ): WebService {
      const bodies = new BodyReader({ maxBytes: 100, timeoutMs: 60_000 }, { log });
      return {
        methods: ['POST'],
        async handle(request, res) {
          seen.push(request.cookie);
          const body = await bodies.read(request, res);
          if (body !== undefined) sendAnswer(res, { status: 200, type: 'text/plain', body: body.toString() });
        },
      };
    },
  };
  const services = { ...WEB_SERVICES, ...{ fixture } };
  const config = { type: 'fixture' } as unknown as PathServiceConfig;

  it('is mounted, gets its methods, bodies and cookies, and is found in the tree with nothing but its line', async () => {
    const paths: PathsConfig = { a: { type: 'path', paths: { new: config } }, '/': jsonConfig(1) };
    const deps = serviceDeps({ families: { ...SHIPPED, services } });
    const root = createWebService({ type: 'path', paths, cookie: cookieConfig() }, deps);
    await root.start?.();
    const posted = await exchange(root, { method: 'POST', rest: '/a/new/x', body: 'text' });
    expect([posted.status, posted.body]).toEqual([200, 'text']);
    expect(posted.headers['set-cookie']).toContain(seen[0]?.cbtid);
    const refused = await exchange(root, { rest: '/a/new' });
    expect([refused.status, refused.headers['allow']]).toEqual([405, 'POST, OPTIONS']);
    expect(answeringServices(paths).map(({ path: place, service }) => `${place} ${service.type}`)).toContain(
      '/a/new fixture',
    );
    await root.stop?.();
  });
});
