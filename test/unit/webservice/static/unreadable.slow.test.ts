/** Files that the node may not read. Root may read everything, so the tests step down to another user, which a thread cannot. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createWebService } from '../../../../src/webservice/registry.js';
import { exchange } from '../../../support/exchange.js';
import { serviceDeps, staticConfig } from '../../../support/web.js';
import type { Exchange } from '../../../support/exchange.js';

const SCRIPT = 'console.log("a script that is long enough"); '.repeat(20);

let web: string;

beforeEach(() => {
  web = mkdtempSync(path.join(tmpdir(), 'crossbar-ts-unreadable-'));
  chmodSync(web, 0o755);
});

afterEach(() => rmSync(web, { recursive: true, force: true }));

function lock(name: string): void {
  chmodSync(path.join(web, name), 0o000);
}

async function getAsNobody(rest: string, headers: Readonly<Record<string, string>> = {}): Promise<Exchange> {
  const service = createWebService(staticConfig(web), serviceDeps());
  await service.start?.();
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.('nobody');
  try {
    return await exchange(service, { rest, headers });
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

describe('a file that the node may not read', () => {
  it('is forbidden', async () => {
    writeFileSync(path.join(web, 'locked.txt'), 'locked');
    lock('locked.txt');
    expect((await getAsNobody('/locked.txt')).status).toBe(403);
  });

  it('is passed over when it is a compressed copy of one that it may', async () => {
    writeFileSync(path.join(web, 'app.js'), SCRIPT);
    writeFileSync(path.join(web, 'app.js.br'), brotliCompressSync(SCRIPT));
    writeFileSync(path.join(web, 'app.js.gz'), gzipSync(SCRIPT));
    lock('app.js.br');
    const { headers } = await getAsNobody('/app.js', { 'accept-encoding': 'br, gzip' });
    expect(headers['content-encoding']).toBe('gzip');
  });
});
