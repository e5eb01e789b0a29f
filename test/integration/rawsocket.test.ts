/**
 * RawSocket against the daemon, over TCP and over a socket file: the handshakes and frames of `rawsocket.json`, sessions
 * cut at every byte, and what each limit does. Scenarios over RawSocket are played by the suites in `vectors/`.
 */
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Daemon } from '../support/daemon.js';
import { nodeDirectory, spawnDaemon, startDaemon } from '../support/daemon.js';
import { LOOPBACK, nodeConfig } from '../support/node-config.js';
import { placeOf, rawFrame, RawSocketClient, RawSocketWire } from '../support/rawsocket-client.js';
import type { RawSocketClientOptions, RawSocketPlace } from '../support/rawsocket-client.js';
import { loadVectors } from '../support/scenario.js';
import { ALL_ROLES, WampClient, within } from '../support/wamp-client.js';

interface Vectors {
  readonly handshake: readonly { readonly name: string; readonly client_hello_hex: string; readonly expect: string }[];
  readonly frames: readonly { readonly name: string; readonly hex: string; readonly expect: string }[];
}
const vectors = loadVectors('rawsocket.json') as Vectors;
/** Those that are the beginning of a large message, and nothing else. */
const headers = vectors.frames.filter(({ name }) => name.startsWith('header'));

const HELLO = Buffer.from(JSON.stringify([1, 'realm1', { roles: ALL_ROLES }]));
const GOODBYE = Buffer.from('[6,{},"wamp.close.normal"]');
const SIZE_EXCEEDED = 'wamp.error.payload_size_exceeded';
const raw = (id: string, options: object = {}, endpoint: object = LOOPBACK): object => {
  return { type: 'rawsocket', id, endpoint, options };
};

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({
    config: nodeConfig({
      transports: [
        raw('tcp'),
        raw('unix', {}, { type: 'unix', path: 'raw.sock' }),
        raw('narrow', { max_message_size: 2 ** 20 }),
        raw('hasty', { hello_timeout: 1000 }),
        raw('small', { max_message_size: 1023 }),
        raw('pinging', { auto_ping_interval: 1000, auto_ping_timeout: 1000 }),
        raw('slow', { max_unsent_bytes: 65_536 }),
        { type: 'websocket', id: 'ws_unix', endpoint: { type: 'unix', path: 'ws.sock' } },
      ],
    }),
  });
});
afterAll(async () => {
  const faults = daemon.logs.filter(({ level }) => level === 'error' || level === 'fatal');
  await daemon.dispose();
  expect(faults).toEqual([]);
});

const urlOf = (id: string, of = daemon): string =>
  String(of.listening().find((record) => record['transport'] === id)?.['url']);
const at = (id: string): RawSocketPlace => placeOf(urlOf(id));
const connect = (id = 'tcp', options: RawSocketClientOptions = {}) => RawSocketClient.connect(at(id), options);
const join = (id = 'tcp', options: RawSocketClientOptions = {}) => RawSocketClient.join(at(id), 'realm1', options);

/** Opens a connection and shakes hands for JSON. */
async function shakenWire(id = 'tcp'): Promise<RawSocketWire> {
  const wire = await RawSocketWire.open(at(id));
  wire.write(Buffer.from('7ff10000', 'hex'));
  expect((await wire.read(4)).toString('hex')).toMatch(/^7f.10000$/);
  return wire;
}

it('has every sample of the file', () => {
  expect([vectors.handshake.length, vectors.frames.length, headers.length]).toEqual([12, 10, 2]);
});

describe.each(['tcp', 'unix', 'narrow'])('on %s', (id) => {
  it.each(vectors.handshake)('handshake $name', async ({ client_hello_hex: hello, expect: expected }) => {
    const wire = await RawSocketWire.open(at(id));
    wire.write(Buffer.from(hello, 'hex'));
    const reply = (await wire.read(4)).toString('hex');
    expect(reply).toMatch(new RegExp(`^(${expected.replace('close', '').replace('?', '[0-9a-f]')})$`));
    if (reply === '' || reply.endsWith('00000')) await within(wire.closed, 'end of a refused connection');
    else wire.socket.destroy();
  });

  it.each(vectors.frames.filter((frame) => !headers.includes(frame)))(
    'frame $name',
    async ({ hex, expect: expected }) => {
      const wire = await shakenWire(id);
      wire.write(Buffer.from(hex, 'hex'));
      if (expected === 'WELCOME frame') {
        const frame = await wire.frame();
        expect(frame?.type).toBe(0);
        expect(JSON.parse(String(frame?.payload))).toMatchObject([2, expect.any(Number), {}]);
      } else if (expected.includes('close')) {
        const frame = await wire.frame();
        if (expected.startsWith('protocol')) expect(String(frame?.payload)).toContain('wamp.error.protocol_violation');
        else expect(frame).toBeUndefined();
        return within(wire.closed, 'end of a connection that broke the protocol');
      } else {
        // A ping behind it shows that there was nothing else to come.
        wire.write(rawFrame(1, Buffer.from('behind')));
        const expectedHex = expected === 'nothing' ? '' : expected;
        const answer = Buffer.concat([Buffer.from(expectedHex, 'hex'), rawFrame(2, Buffer.from('behind'))]);
        expect((await wire.read(answer.length)).toString('hex')).toBe(answer.toString('hex'));
      }
      wire.socket.destroy();
      return wire.closed;
    },
  );

  it('the limit of the transport is announced', async () => {
    const client = await connect(id);
    const limit = id === 'narrow' ? 2 ** 20 : 2 ** 24;
    expect(client.routerMaxBytes).toBe(limit);
    await client.close();
  });

  it.each(headers)('frame $name: a stranger is refused for the header alone', async ({ hex }) => {
    const wire = await shakenWire(id);
    wire.write(Buffer.from(hex, 'hex'));
    if (id !== 'narrow') {
      const [type, details] = JSON.parse(String((await wire.frame())?.payload)) as unknown[];
      expect([type, details]).toEqual([3, { message: 'a message before WELCOME may have at most 65536 bytes' }]);
    }
    await within(wire.closed, 'end of the connection');
  });

  it.each(headers)('frame $name: of a session it is taken up to the limit', async ({ hex, expect: expected }) => {
    const wire = await shakenWire(id);
    wire.write(rawFrame(0, HELLO));
    await wire.frame();
    wire.write(Buffer.from(hex, 'hex'));
    if (id === 'narrow') {
      expect(await wire.frame()).toBeUndefined();
    } else {
      const [, octets] = /^payload of (\d+) octets follows/.exec(expected) ?? [];
      const publish = Buffer.from('[16,1,{"acknowledge":true},"com.example.topic"]');
      wire.write(Buffer.concat([publish, Buffer.alloc(Number(octets) - publish.length, ' ')]));
      expect(String((await wire.frame())?.payload)).toMatch(/^\[17,1,/);
      wire.socket.destroy();
    }
    await within(wire.closed, 'end of the connection');
  });

  it('a session byte by byte, then all in one segment', async () => {
    const stream = Buffer.concat([
      Buffer.from('7ff10000', 'hex'),
      rawFrame(0, HELLO),
      rawFrame(1, Buffer.from('p')),
      rawFrame(0, Buffer.from('[32,1,{},"com.example.topic"]')),
      rawFrame(0, GOODBYE),
    ]);
    for (const size of [1, 2, 3, stream.length]) {
      const wire = await RawSocketWire.open(at(id));
      for (let from = 0; from < stream.length; from += size) {
        wire.write(stream.subarray(from, from + size));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await wire.read(4);
      const types: unknown[] = [];
      for (let count = 0; count < 4; count++) {
        const frame = await wire.frame();
        types.push(frame?.type === 0 ? (JSON.parse(frame.payload.toString()) as unknown[])[0] : `frame ${frame?.type}`);
      }
      expect(types).toEqual([2, 'frame 2', 33, 6]);
      wire.socket.destroy();
      await wire.closed;
    }
  });

  it('a session after a session on the same connection', async () => {
    const client = await join(id);
    const first = client.sessionId;
    client.send([6, {}, 'wamp.close.normal']);
    expect((await client.next())[0]).toBe(6);
    const { sessionId } = await client.hello();
    expect(sessionId).not.toBe(first);
    await client.leave();
  });
});

describe('messages', () => {
  it.each(['json', 'msgpack', 'cbor'] as const)(
    'travel in %s between RawSockets and WebSockets',
    async (serializer) => {
      const [raw1, unix, web] = [
        await join('tcp', { serializer }),
        await join('unix', { serializer }),
        await WampClient.join(daemon.url('/ws', 'ws'), 'realm1', { serializer }),
      ];
      const ids = [];
      for (const client of [raw1, unix, web]) ids.push((await client.ask([32, 1, {}, 'com.example.all']))[2]);
      expect(new Set(ids).size).toBe(1);
      const publisher = await join();
      for (let number = 0; number < 20; number++) publisher.send([16, number + 1, {}, 'com.example.all', [number]]);
      for (const client of [raw1, unix, web]) {
        for (let number = 0; number < 20; number++) {
          expect(await client.next()).toEqual([36, ids[0], expect.any(Number), {}, [number]]);
        }
      }
      await Promise.all([raw1, unix, web, publisher].map((client) => client.leave()));
    },
  );

  it('of the announced size are taken, of exactly 16 MiB, too', async () => {
    const [caller, callee] = [await join('tcp'), await join('tcp')];
    await callee.ask([64, 1, {}, 'com.example.large']);
    const call = (length: number): Buffer => {
      const empty = '[48,1,{},"com.example.large",[""]]';
      return Buffer.from(empty.replace('""', `"${'a'.repeat(length - empty.length)}"`));
    };
    caller.send(call(2 ** 24));
    const [type, requestId, , , args] = await callee.next();
    expect([type, String((args as unknown[])[0]).length]).toEqual([68, 2 ** 24 - 34]);
    callee.send([70, requestId, {}, ['done']]);
    expect((await caller.next())[3]).toEqual(['done']);
    await Promise.all([caller.leave(), callee.leave()]);
  });

  it('that are not valid UTF-8 are a violation', async () => {
    const client = await join();
    client.send(Buffer.concat([Buffer.from('[32,1,{},"com.example.'), Buffer.of(0xff), Buffer.from('"]')]));
    expect((await client.next())[2]).toBe('wamp.error.protocol_violation');
    await within(client.closed, 'end of the connection');
  });

  it('that break the protocol are answered with ABORT, then the connection ends', async () => {
    const client = await join();
    client.send('[32,1');
    client.send([32, 2, {}, 'com.example.topic']);
    expect((await client.next())[2]).toBe('wamp.error.protocol_violation');
    await within(client.closed, 'end of the connection');
  });
});

describe('a client that takes only small messages', () => {
  const small = { lengthNibble: 3 } as const; // 4096 bytes
  const large = 'x'.repeat(5000);

  it('does not get an event that is too large, and stays', async () => {
    const [subscriber, other, publisher] = [await join('tcp', small), await join(), await join()];
    await subscriber.ask([32, 1, {}, 'com.example.size']);
    await other.ask([32, 1, {}, 'com.example.size']);
    for (const [number, text] of ['first', large, 'last'].entries()) {
      publisher.send([16, number + 1, {}, 'com.example.size', [text]]);
    }
    for (const text of ['first', 'last']) expect((await subscriber.next())[4]).toEqual([text]);
    for (const text of ['first', large, 'last']) expect((await other.next())[4]).toEqual([text]);
    const record = await daemon.waitForLog('message dropped');
    expect(record).toMatchObject({ level: 'warn', messageType: 36, sessionId: subscriber.sessionId });
    await Promise.all([subscriber.leave(), other.leave(), publisher.leave()]);
  });

  it('gets an error instead of a result or an error that is too large', async () => {
    const [caller, callee] = [await join('tcp', small), await join()];
    await callee.ask([64, 1, {}, 'com.example.size']);
    caller.send([48, 1, {}, 'com.example.size']);
    callee.send([70, (await callee.next())[1], {}, [large]]);
    expect(await caller.next()).toEqual([8, 48, 1, {}, SIZE_EXCEEDED, [expect.stringContaining('4096')]]);
    caller.send([48, 2, {}, 'com.example.size']);
    callee.send([8, 68, (await callee.next())[1], {}, 'com.example.error', [large]]);
    expect(await caller.next()).toEqual([8, 48, 2, {}, SIZE_EXCEEDED, [expect.any(String)]]);
    caller.send([48, 3, {}, 'com.example.size']);
    callee.send([70, (await callee.next())[1], {}, ['fits']]);
    expect(await caller.next()).toEqual([50, 3, {}, ['fits']]);
    await Promise.all([caller.leave(), callee.leave()]);
  });

  it('is not called with what is too large: the caller is told, and may call again', async () => {
    const [caller, callee] = [await join(), await join('tcp', small)];
    await callee.ask([64, 1, {}, 'com.example.size']);
    expect(await caller.ask([48, 1, {}, 'com.example.size', [large]])).toEqual([
      8,
      48,
      1,
      {},
      SIZE_EXCEEDED,
      [expect.stringContaining('4096')],
    ]);
    caller.send([48, 2, {}, 'com.example.size', ['fits']]);
    const invocation = await callee.next();
    expect([invocation[0], invocation[4]]).toEqual([68, ['fits']]);
    callee.send([70, invocation[1], {}]);
    expect((await caller.next())[0]).toBe(50);
    await Promise.all([caller.leave(), callee.leave()]);
  });

  it('that cannot even take the WELCOME is told so', async () => {
    const client = await connect('tcp', { lengthNibble: 0 });
    client.send(HELLO);
    const answer = await client.next();
    // A WELCOME of at most 512 bytes is as good.
    if (answer[0] !== 2) {
      expect([answer[0], answer[2]]).toEqual([3, SIZE_EXCEEDED]);
      await within(client.closed, 'end of the connection');
    }
    await client.drop();
  });
});

describe('limits', () => {
  it('no handshake in time: closed without a word', async () => {
    const [silent, begun] = [await RawSocketWire.open(at('hasty')), await RawSocketWire.open(at('hasty'))];
    begun.write(Buffer.from('7ff1', 'hex'));
    for (const wire of [silent, begun]) {
      await within(wire.closed, 'end of a connection without handshake');
      expect(wire.unread).toHaveLength(0);
    }
  });

  it('no HELLO in time: closed without ABORT, which clients take for final; pings do not help', async () => {
    const client = await connect('hasty');
    const pinger = setInterval(() => client.wire.write(rawFrame(1, Buffer.from('p'))), 50);
    await expect(client.next()).rejects.toThrow('closed');
    await within(client.closed, 'end of a silent connection');
    clearInterval(pinger);
  });

  it('a peer that does not close after us is cut', async () => {
    const wire = await shakenWire('hasty');
    wire.socket.allowHalfOpen = true;
    await within(once(wire.socket, 'end'), 'the end that the router makes');
    // Still writing: only the end of the connection makes this fail.
    const writer = setInterval(() => wire.write(rawFrame(1, Buffer.alloc(10))), 20);
    await within(wire.closed, 'end of a connection that is kept open');
    clearInterval(writer);
  });

  it('a message above the announced limit: closed, and the session is gone', async () => {
    const [client, witness] = [await join('small'), await join()];
    expect(client.routerMaxBytes).toBe(512);
    await client.ask([64, 1, {}, 'com.example.gone']);
    client.wire.write(rawFrame(0, Buffer.from('['), 513));
    await within(client.closed, 'end of the connection');
    expect((await witness.ask([48, 1, {}, 'com.example.gone']))[4]).toBe('wamp.error.no_such_procedure');
    await witness.leave();
  });

  it('no pong: dropped; who answers stays', async () => {
    const [dead, alive] = [await join('pinging', { autoPong: false }), await join('pinging')];
    await within(dead.closed, 'drop of a dead client');
    expect(dead.pings.length).toBeGreaterThan(0);
    expect(alive.isOpen).toBe(true);
    expect((await alive.ask([32, 1, {}, 'com.example.topic']))[0]).toBe(33);
    await alive.leave();
  });

  it('a client that does not read is disconnected, the others get everything', async () => {
    const [slow, other, publisher] = [await join('slow'), await join('slow'), await join()];
    for (const client of [slow, other]) await client.ask([32, 1, {}, 'com.example.flood']);
    slow.wire.socket.pause();
    const text = 'x'.repeat(60_000);
    let sent = 0;
    const isGone = (): boolean => daemon.logs.some(({ msg }) => msg === 'slow consumer disconnected');
    for (; !isGone() && sent < 2000; sent++) {
      publisher.send([16, sent + 1, { acknowledge: true }, 'com.example.flood', [sent, text]]);
      await publisher.next();
      expect(((await other.next())[4] as unknown[])[0]).toBe(sent);
    }
    expect(await daemon.waitForLog('slow consumer disconnected')).toMatchObject({ maxUnsentBytes: 65_536 });
    slow.wire.socket.resume();
    await within(slow.closed, 'end of a slow consumer');
    await Promise.all([other.leave(), publisher.leave()]);
  });
});

describe('socket files', () => {
  it('a WebSocket listens on one, too', async () => {
    expect(urlOf('ws_unix')).toBe(`ws://unix:${path.join(daemon.cbdir, 'ws.sock')}:/`);
    const client = await WampClient.join(`ws+unix:${path.join(daemon.cbdir, 'ws.sock')}:/`);
    expect((await client.ask([32, 1, {}, 'com.example.topic']))[0]).toBe(33);
    await client.leave();
  });

  const config = { ...nodeConfig({ transports: [raw('unix', {}, { type: 'unix', path: 'raw.sock' })] }) };

  it('is replaced when it was left behind, removed at the end, and its sessions are closed', async () => {
    const first = await startDaemon({ config });
    const file = path.join(first.cbdir, 'raw.sock');
    await first.kill();
    expect(existsSync(file)).toBe(true);
    const second = await startDaemon({ cbdir: first.cbdir });
    const client = await RawSocketClient.join({ path: file });
    const stopped = second.stop();
    await within(client.closed, 'end of the connection');
    expect(await stopped).toBe(0);
    expect(existsSync(file)).toBe(false);
    await first.dispose();
  });

  it('that another program listens on is left alone, and the node does not start', async () => {
    const cbdir = nodeDirectory(config);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path.join(cbdir, 'raw.sock'), resolve));
    const { code, stderr } = await failedStart(cbdir);
    expect([code, stderr]).toEqual([1, expect.stringContaining('another program listens on this socket')]);
    expect(existsSync(path.join(cbdir, 'raw.sock'))).toBe(true);
    await new Promise((resolve) => server.close(resolve));
  });

  it('whose name belongs to another file does not replace it', async () => {
    const cbdir = nodeDirectory(config);
    writeFileSync(path.join(cbdir, 'raw.sock'), 'precious');
    const { code, stderr } = await failedStart(cbdir);
    expect([code, stderr]).toEqual([1, expect.stringContaining('a file that is no socket has this name')]);
    expect(readFileSync(path.join(cbdir, 'raw.sock'), 'utf8')).toBe('precious');
  });

  async function failedStart(cbdir: string): Promise<{ code: number | null; stderr: string }> {
    const failing = spawnDaemon({ cbdir });
    const { code } = await within(failing.exited, 'end of a daemon that cannot start');
    return { code, stderr: failing.stderr };
  }
});
