/** Authentication with the clients that people use, and with what these compute: autobahn-js, wampy, autobahn-python. */
import autobahn from 'autobahn';
import { execFile, spawnSync } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Wampy } from 'wampy';
import * as wampyCryptosign from 'wampy/cryptosign.js';
import * as wampyCra from 'wampy/wampcra.js';
import { WebSocket } from 'ws';
import type { keyPair } from '../support/auth-clients.js';
import { deriveKey, JIM_KEYS, JOE_KEYS } from '../support/auth-clients.js';
import type { Daemon } from '../support/daemon.js';
import { startDaemon } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { ALLOW_ALL, nodeConfig } from '../support/node-config.js';
import { within } from '../support/wamp-client.js';

type Extra = Readonly<Record<string, unknown>>;

const PASSWORD = 'the secret of joe';
const WRONG = 'the secret of jim';
const SALTED = { salt: 'salt123', iterations: 100, keylen: 32 };

/** The known answers for the password `pencil`: the second is in the dialect of Crossbar.io. */
const SCRAM_PASSWORD = 'pencil';
const SCRAM = {
  kdf: 'argon2id-13',
  iterations: 8,
  memory: 512,
  salt: '5b6d99689d12358eeca04b141236fa81',
  'stored-key': '6514e8bfcb458bc9ad842bfedf121ee960e1502ba6d358d22e7bde336904a8bf',
  'server-key': '0747f8d3a766f0fe43c321f2def22bc88d9c94c216b5e044faceda3204881d11',
};

let daemon: Daemon;
beforeAll(async () => {
  const role = 'user';
  const options = { max_auth_failures: 0, max_auth_failures_per_address: 0 };
  const auth = {
    ticket: { type: 'static', principals: { joe: { ticket: PASSWORD, role } } },
    wampcra: {
      type: 'static',
      users: {
        joe: { secret: PASSWORD, role },
        salted: { secret: deriveKey(PASSWORD, SALTED), ...SALTED, role },
        underived: { secret: PASSWORD, ...SALTED, role },
      },
    },
    scram: { type: 'static', principals: { joe: { ...SCRAM, role } } },
    cryptosign: { type: 'static', principals: { joe: { authorized_keys: [JOE_KEYS.pubkey], role } } },
  };
  daemon = await startDaemon({
    config: nodeConfig({
      realms: [{ name: 'realm1', roles: [{ name: role, permissions: ALLOW_ALL }] }],
      websocket: { auth, options },
    }),
  });
});
afterAll(() => daemon.dispose());

const DENIED = 'wamp.error.not_authorized';

describe('autobahn-js', () => {
  interface Login {
    readonly authmethod: string;
    readonly authid?: string;
    readonly authextra?: object;
    readonly answer: (extra: Extra) => unknown;
  }

  /** @returns who it is by WELCOME, or the reason of ABORT. */
  function login({ authmethod, authid, authextra, answer }: Login): Promise<unknown> {
    const connection = new autobahn.Connection({
      realm: 'realm1',
      url: daemon.url('/ws', 'ws'),
      max_retries: 0,
      use_es6_promises: true,
      authmethods: [authmethod],
      ...(authid !== undefined && { authid }),
      ...(authextra !== undefined && { authextra }),
      onchallenge: (_session, method, extra) => {
        expect(method).toBe(authmethod);
        return answer(extra);
      },
    });
    const outcome = new Promise((resolve) => {
      connection.onopen = (_session, details) => {
        resolve([details.authid, details.authrole, details.authmethod]);
        connection.close();
      };
      connection.onclose = (_reason, details) => {
        resolve(details.reason);
        return true;
      };
    });
    connection.open();
    return within(outcome, 'session of autobahn-js');
  }
  const { auth_cra, auth_cryptosign } = autobahn;

  it('sends a ticket', async () => {
    const ticket = (text: string) => login({ authmethod: 'ticket', authid: 'joe', answer: () => text });
    expect(await ticket(PASSWORD)).toEqual(['joe', 'user', 'ticket']);
    expect(await ticket(WRONG)).toBe(DENIED);
  });

  it('signs by WAMP-CRA', async () => {
    const sign = (secret: string) =>
      login({ authmethod: 'wampcra', authid: 'joe', answer: ({ challenge }) => auth_cra.sign(secret, challenge) });
    expect(await sign(PASSWORD)).toEqual(['joe', 'user', 'wampcra']);
    expect(await sign(WRONG)).toBe(DENIED);
  });

  it.each(['salted', 'underived'])('derives a key and signs by WAMP-CRA, as %s', async (authid) => {
    const sign = (password: string) =>
      login({
        authmethod: 'wampcra',
        authid,
        answer: ({ challenge, salt, iterations, keylen }) =>
          auth_cra.sign(auth_cra.derive_key(password, salt, iterations, keylen), challenge),
      });
    expect(await sign(PASSWORD)).toEqual([authid, 'user', 'wampcra']);
    expect(await sign(WRONG)).toBe(DENIED);
  });

  it('signs by cryptosign, also without a name', async () => {
    const sign = ({ seed, pubkey }: ReturnType<typeof keyPair>, authid?: string) => {
      const secretKey = Buffer.from(seed + pubkey, 'hex');
      const authextra = { pubkey, channel_binding: null, trustroot: null, challenge: null };
      const answer = (extra: Extra): string => auth_cryptosign.sign_challenge({ secretKey }, extra);
      return login({ authmethod: 'cryptosign', authextra, answer, ...(authid !== undefined && { authid }) });
    };
    expect(await sign(JOE_KEYS)).toEqual(['joe', 'user', 'cryptosign']);
    expect(await sign(JOE_KEYS, 'joe')).toEqual(['joe', 'user', 'cryptosign']);
    expect(await sign(JIM_KEYS)).toBe(DENIED);
    expect(await sign(JIM_KEYS, 'joe')).toBe(DENIED);
  });
});

describe('wampy', () => {
  /** @returns who it is by WELCOME, or the reason of ABORT. */
  async function login(options: object): Promise<unknown> {
    const client = new Wampy(daemon.url('/ws', 'ws'), {
      realm: 'realm1',
      autoReconnect: false,
      ws: WebSocket as never,
      ...options,
    });
    try {
      const { authid, authrole, authmethod } = (await within(client.connect(), 'session of wampy')) as Extra;
      return [authid, authrole, authmethod];
    } catch (error) {
      return (error as { readonly errorUri?: string }).errorUri;
    } finally {
      await client.disconnect().catch(() => undefined);
    }
  }

  it('sends a ticket', async () => {
    const ticket = (text: string) => login({ authid: 'joe', authmethods: ['ticket'], onChallenge: () => text });
    expect(await ticket(PASSWORD)).toEqual(['joe', 'user', 'ticket']);
    expect(await ticket(WRONG)).toBe(DENIED);
  });

  it.each(['joe', 'salted'])('signs by WAMP-CRA as %s', async (authid) => {
    const sign = (secret: string) => login({ authid, authmethods: ['wampcra'], onChallenge: wampyCra.sign(secret) });
    expect(await sign(PASSWORD)).toEqual([authid, 'user', 'wampcra']);
    expect(await sign(WRONG)).toBe(DENIED);
  });

  it('signs by cryptosign', async () => {
    const sign = ({ seed, pubkey }: ReturnType<typeof keyPair>) =>
      login({
        authid: 'joe',
        authmethods: ['cryptosign'],
        authextra: { pubkey },
        onChallenge: wampyCryptosign.sign(seed),
      });
    expect(await sign(JOE_KEYS)).toEqual(['joe', 'user', 'cryptosign']);
    expect(await sign(JIM_KEYS)).toBe(DENIED);
  });
});

/** The interpreter of the Debian packages; another one in PATH would not find them. */
const PYTHON = '/usr/bin/python3';
const SCRIPT = path.resolve(import.meta.dirname, '../clients/autobahn_python_auth.py');
const hasAutobahn = spawnSync(PYTHON, ['-c', 'import autobahn, nacl, argon2, passlib']).status === 0;

describeNeeds('python3-autobahn, python3-nacl, python3-argon2 and python3-passlib', hasAutobahn)(
  'autobahn-python',
  () => {
    const logins = [
      { method: 'ticket', authid: 'joe', right: { ticket: PASSWORD }, wrong: { ticket: WRONG } },
      { method: 'wampcra', authid: 'joe', right: { secret: PASSWORD }, wrong: { secret: WRONG } },
      { method: 'wampcra', authid: 'salted', right: { secret: PASSWORD }, wrong: { secret: WRONG } },
      { method: 'scram', authid: 'joe', right: { password: SCRAM_PASSWORD }, wrong: { password: WRONG } },
      { method: 'cryptosign', authid: 'joe', right: { privkey: JOE_KEYS.seed }, wrong: { privkey: JIM_KEYS.seed } },
    ];
    let outcomes: readonly Extra[] = [];
    beforeAll(async () => {
      const url = daemon.url('/ws', 'ws');
      const tries = logins.flatMap(({ method, authid, right, wrong }) =>
        [right, wrong].map((options) => ({ url, method, authid, options })),
      );
      const { stdout } = await promisify(execFile)(PYTHON, [SCRIPT, JSON.stringify(tries)], { timeout: 120_000 });
      const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
      outcomes = lines.map((line) => JSON.parse(line) as Extra);
    }, 150_000);

    it.each(logins.map(({ method, authid }, i) => ({ method, authid, i })))(
      'authenticates by $method as $authid, or is refused',
      ({ method, authid, i }) => {
        expect(outcomes[2 * i]).toEqual({ authid, authrole: 'user', authmethod: method });
        expect(outcomes[2 * i + 1]).toMatchObject({ reason: DENIED });
      },
    );
  },
);
