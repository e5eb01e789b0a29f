/** How a node gets to NATS: who is let in, over TLS or not, what is said when it does not work, and what waits for a slow server. */
import { createAccount, createOperator, createUser } from '@nats-io/nkeys';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import type { Engine } from '../../../src/engine/engine.js';
import { connectNats } from '../../../src/engine/nats/connect.js';
import type { NatsConfig } from '../../../src/engine/nats/schema.js';
import { Certificates } from '../../support/certificates.js';
import { temporaryDirectory } from '../../support/daemon.js';
import { hasNats, NatsServer } from '../../support/nats.js';
import { describeNeeds } from '../../support/needs.js';
import { freePorts } from '../../support/ports.js';

const SECRET = 'not-for-the-log-4711';
const lines: string[] = [];
const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
const engines: Engine[] = [];
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
  // Whatever happened.
  expect(lines.join('')).not.toContain(SECRET);
  lines.length = 0;
});

async function connected(server: NatsServer, config: Partial<NatsConfig> = {}, signal?: AbortSignal) {
  const engine = await connectNats(
    { servers: [`127.0.0.1:${server.port}`], max_pending: 1_048_576, connect_timeout: 60, ...config },
    { log, neededBy: 'the tests', name: 'crossbar-ts test', signal },
  );
  engines.push(engine);
  return engine;
}

/** The message of what it rejects with, and the fault. */
async function refusal(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => 'it did not reject',
    (reason: unknown) => reason,
  );
  expect(String(error)).not.toContain(SECRET);
  return `${String(Reflect.get(Object(error), 'fault'))}: ${error instanceof Error ? error.message : String(error)}`;
}

const said = (message: string): number => lines.filter((line) => line.includes(`"${message}"`)).length;

async function works(engine: Engine): Promise<void> {
  const bucket = await engine.bucket('works', { durable: true });
  await bucket.put('k', new TextEncoder().encode('v'));
  expect(await bucket.get('k')).toBeDefined();
}

async function server(config: string, ...args: readonly string[]): Promise<NatsServer> {
  const [port = 0] = await freePorts(1);
  const file = path.join(temporaryDirectory(), 'nats.conf');
  writeFileSync(file, config);
  return new NatsServer(port, ['-a', '127.0.0.1', '-p', String(port), '-c', file, ...args]);
}

describeNeeds('nats-server', hasNats)('connecting to NATS', () => {
  describe('with a name', () => {
    let nats: NatsServer;
    const keys = createUser();
    const seed = new TextDecoder().decode(keys.getSeed());
    beforeAll(async () => {
      const users = `[{ user: app, password: "${SECRET}" }, { nkey: ${keys.getPublicKey()} }]`;
      nats = await server(`authorization { users: ${users} }`, '-js');
      await nats.start();
    });
    afterAll(() => nats.kill());

    it('and its password is let in, and refused at once with another one, or with none', async () => {
      await works(await connected(nats, { user: 'app', password: SECRET }));
      for (const config of [{ user: 'app', password: `${SECRET}x` }, { user: 'other', password: SECRET }, {}]) {
        expect(await refusal(connected(nats, config))).toMatch(/^refused: NATS: authorization violation/i);
      }
      expect(said('waits for NATS')).toBe(0);
    });

    it('of a key is let in with its seed, and refused with another one', async () => {
      await works(await connected(nats, { nkey: seed }));
      const other = new TextDecoder().decode(createUser().getSeed());
      expect(await refusal(connected(nats, { nkey: other }))).toMatch(/^refused: NATS: authorization violation/i);
      expect(lines.join('')).not.toContain(seed);
    });
  });

  it('with a file of credentials is let in, and told when the file is not there', async () => {
    const { config, credentials } = operatorMode();
    const nats = await server(config, '-js');
    await nats.start();
    try {
      const engine = await connected(nats, { credentials });
      engine.subscribe('x', () => undefined);
      await works(engine);
      const missing = `${credentials}.not`;
      expect(await refusal(connected(nats, { credentials: missing }))).toContain(`refused: the file ${missing} cannot`);
      expect(await refusal(connected(nats))).toMatch(/^refused: NATS: authorization violation/i);
    } finally {
      await nats.kill();
    }
  });

  describe('over TLS', () => {
    let certificates: Certificates;
    let nats: NatsServer;
    let asking: NatsServer;
    beforeAll(async () => {
      certificates = new Certificates(temporaryDirectory());
      const chain = certificates.text('server.pem') + certificates.text('intermediate.pem');
      certificates.write('chain.pem', chain);
      const files = `cert_file: "${certificates.file('chain.pem')}", key_file: "${certificates.file('server.key')}"`;
      nats = await server(`tls { ${files} }`, '-js');
      asking = await server(`tls { ${files}, ca_file: "${certificates.file('root.pem')}", verify: true }`, '-js');
      await Promise.all([nats.start(), asking.start()]);
    });
    afterAll(() => Promise.all([nats.kill(), asking.kill()]));

    it('trusts the authorities of the config, and no others', async () => {
      await works(await connected(nats, { tls: { ca_certificates: [certificates.file('root.pem')] } }));
      const stranger = { ca_certificates: [certificates.file('stranger.pem')] };
      expect(await refusal(connected(nats, { tls: stranger }))).toMatch(/^refused: NATS: .*certificate/i);
      expect(await refusal(connected(nats))).toMatch(/^refused: NATS: .*certificate/i);
      const missing = { ca_certificates: [certificates.file('missing.pem')] };
      expect(await refusal(connected(nats, { tls: missing }))).toContain('missing.pem cannot be read');
    });

    it('shows its own certificate to a server that asks for one', async () => {
      const tls = { ca_certificates: [certificates.file('root.pem')] };
      const own = (name: string) => ({
        tls: { ...tls, certificate: certificates.file(`${name}.pem`), key: certificates.file(`${name}.key`) },
      });
      await works(await connected(asking, own('client')));
      for (const config of [{ tls }, own('strangers-client')]) {
        expect(await refusal(connected(asking, { ...config, connect_timeout: 2 }))).toMatch(
          /does not like the certificate/,
        );
      }
    });
  });

  it('waits for a server that is not there yet, says so once, and gives up when it is told to or the time is over', async () => {
    const nats = await server('', '-js');
    expect(await refusal(connected(nats, { connect_timeout: 1 }))).toMatch(
      /^unavailable: NATS did not answer within 1 s at 127\.0\.0\.1:\d+: /,
    );
    expect(said('waits for NATS')).toBe(1);
    const giving = new AbortController();
    const given = refusal(connected(nats, {}, giving.signal));
    giving.abort(new Error('given up'));
    expect(await given).toMatch(/given up|abort/);
    const waiting = connected(nats);
    await expect.poll(() => said('waits for NATS')).toBe(2);
    await nats.start();
    try {
      await works(await waiting);
      expect(said('waits for NATS')).toBe(2);
    } finally {
      await nats.kill();
    }
  });

  it('says which setting is missing where JetStream is switched off', async () => {
    const nats = await server('');
    await nats.start();
    try {
      expect(await refusal(connected(nats, { connect_timeout: 1 }))).toContain('JetStream is switched off');
    } finally {
      await nats.kill();
    }
  });

  it('says when there are fewer servers than copies; a bucket that is there stays as it is', async () => {
    const nats = await server('', '-js');
    await nats.start();
    try {
      const engine = await connected(nats, { replicas: 3 });
      expect(await refusal(engine.bucket('three', { durable: true }))).toMatch(/^refused: .*replicas/);
      const one = await connected(nats);
      await one.bucket('there', { durable: true });
      await (await engine.bucket('there', { durable: true })).put('k', new Uint8Array(1));
    } finally {
      await nats.kill();
    }
  });

  it('bounds what waits for a server that takes nothing, refuses more, and loses nothing that it took', async () => {
    const nats = await server('', '-js');
    await nats.start();
    try {
      const [sender, receiver] = [await connected(nats), await connected(nats)];
      let received = 0;
      receiver.subscribe('flood', () => (received += 1));
      await receiver.flush();
      nats.signal('SIGSTOP');
      const data = new Uint8Array(16_384);
      let accepted = 0;
      const flood = (): void => {
        for (;;) {
          sender.publish('flood', data);
          accepted += 1;
          if (accepted > 10_000) throw new Error('there is no bound');
        }
      };
      expect(flood).toThrow(expect.objectContaining({ fault: 'unavailable' }) as Error);
      expect(accepted * data.length).toBeLessThanOrEqual(1_048_576);
      expect(flood).toThrow(expect.objectContaining({ fault: 'unavailable' }) as Error);
      nats.signal('SIGCONT');
      await expect.poll(() => received).toBe(accepted);
      sender.publish('flood', data);
      await expect.poll(() => received).toBe(accepted + 1);
      expect(sender.isUp).toBe(true);
    } finally {
      nats.signal('SIGCONT');
      await nats.kill();
    }
  });
});

/** What `nsc` makes: an operator, an account with JetStream and a user, as JWTs that sign each other. */
function operatorMode(): { config: string; credentials: string } {
  const [operator, account, system, user] = [createOperator(), createAccount(), createAccount(), createUser()];
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const jwt = (issuer: typeof operator, subject: typeof operator, nats: Record<string, unknown>): string => {
    const claims = { jti: 'x', iat: 1_700_000_000, iss: issuer.getPublicKey(), sub: subject.getPublicKey(), name: 'x' };
    const text = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part({ ...claims, nats: { ...nats, version: 2 } })}`;
    return `${text}.${Buffer.from(issuer.sign(new TextEncoder().encode(text))).toString('base64url')}`;
  };
  const open = { subs: -1, data: -1, payload: -1 };
  const limits = { ...open, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
  const storage = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
  const accountJwt = jwt(operator, account, { type: 'account', limits: { ...limits, ...storage } });
  const systemJwt = jwt(operator, system, { type: 'account', limits });
  const userJwt = jwt(account, user, { type: 'user', ...open });
  const file = path.join(temporaryDirectory(), 'app.creds');
  const seed = new TextDecoder().decode(user.getSeed());
  const block = (name: string, text: string): string => `-----BEGIN ${name}-----\n${text}\n------END ${name}------\n\n`;
  writeFileSync(file, block('NATS USER JWT', userJwt) + block('USER NKEY SEED', seed));
  const operatorFile = path.join(temporaryDirectory(), 'operator.jwt');
  writeFileSync(operatorFile, jwt(operator, operator, { type: 'operator' }));
  const accounts = `${account.getPublicKey()}: "${accountJwt}", ${system.getPublicKey()}: "${systemJwt}"`;
  const config = [
    `operator: "${operatorFile}"`,
    `system_account: ${system.getPublicKey()}`,
    'resolver: MEMORY',
    `resolver_preload: { ${accounts} }`,
  ].join('\n');
  return { config, credentials: file };
}
