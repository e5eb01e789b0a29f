/** Who gets a connection, and what becomes of those whose place another one takes. */
import { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLogger } from '../../../../src/log/logger.js';
import type { Acceptor } from '../../../../src/transport/endpoint.js';
import { HandedAcceptor } from '../../../../src/transport/reload/handed-acceptor.js';
import { UniversalAcceptor } from '../../../../src/transport/universal/acceptor.js';
import { firstOctetMs } from '../../../../src/webservice/universal/protocols.js';
import type { UniversalTransportConfig } from '../../../../src/webservice/universal/schema.js';

const told: string[] = [];
const logged: string[] = [];
const log = createLogger({ level: 'debug', destination: { write: (line) => void logged.push(line) } });

/** Notes down what happens to it. */
function acceptor(name: string): Acceptor {
  return {
    start: () => Promise.resolve(void told.push(`${name} starts`)),
    accept: (socket) => void told.push(`${name} gets ${String(socket.read())}`),
    dismiss: () => Promise.resolve(void told.push(`${name} is dismissed`)),
    stop: () => Promise.resolve(void told.push(`${name} stops`)),
  };
}

class Client extends Duplex {
  override _read(): void {
    // What it sends is pushed.
  }

  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }

  get socket(): Socket {
    return this as unknown as Socket;
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function universal(timeoutMs = 1000): UniversalAcceptor {
  const byOctet = new Map([
    [0x7f, acceptor('rawsocket')],
    [0x10, acceptor('mqtt')],
  ]);
  return new UniversalAcceptor({ byOctet, http: acceptor('http'), timeoutMs, log });
}

beforeEach(() => {
  told.length = logged.length = 0;
});
afterEach(() => vi.useRealTimers());

describe('the first octet', () => {
  it.each([
    ['\x7f123', 'rawsocket'],
    ['\x10123', 'mqtt'],
    ['GET /', 'http'],
    ['\x20123', 'http'],
  ])('%j leads to %s', async (text, name) => {
    const client = new Client();
    universal().accept(client.socket);
    client.push(Buffer.from(text, 'latin1'));
    await turn();
    expect(told).toEqual([`${name} gets ${text}`]);
  });

  it('has its time, from the next connection on another one, and no longer than that', () => {
    vi.useFakeTimers();
    const [first, second, third] = [new Client(), new Client(), new Client()];
    const all = universal(1000);
    all.accept(first.socket);
    all.limit(5000);
    all.accept(second.socket);
    all.limit(0);
    all.accept(third.socket);
    vi.advanceTimersByTime(1100);
    expect([first, second, third].map(({ destroyed }) => destroyed)).toEqual([true, false, false]);
    vi.advanceTimersByTime(5000);
    expect([second, third].map(({ destroyed }) => destroyed)).toEqual([true, false]);
    vi.advanceTimersByTime(1_000_000);
    expect(third.destroyed).toBe(false);
    expect(logged.filter((line) => line.includes('nothing was sent'))).not.toEqual([]);
  });

  it('is waited for as long as the most patient protocol waits', () => {
    const config = (rawsocket?: number, mqtt?: number): UniversalTransportConfig =>
      ({
        ...(rawsocket !== undefined && { rawsocket: { options: { hello_timeout: rawsocket } } }),
        ...(mqtt !== undefined && { mqtt: { options: { hello_timeout: mqtt } } }),
      }) as UniversalTransportConfig;
    expect(firstOctetMs(config(1000))).toBe(1000);
    expect(firstOctetMs(config(1000, 5000))).toBe(5000);
    expect(firstOctetMs(config(6000, 5000))).toBe(6000);
    expect(firstOctetMs(config(0, 5000))).toBe(0);
  });
});

it('all start, are dismissed and stop together, and who has sent nothing is cut', async () => {
  const [all, silent] = [universal(), new Client()];
  await all.start();
  all.accept(silent.socket);
  await all.dismiss();
  expect(silent.destroyed).toBe(false);
  await all.stop();
  expect(silent.destroyed).toBe(true);
  const names = ['rawsocket', 'mqtt', 'http'];
  expect(told).toEqual(['starts', 'is dismissed', 'stops'].flatMap((what) => names.map((name) => `${name} ${what}`)));
});

describe('another one in the place of an acceptor', () => {
  it('gets the connections, and the old one stops when its last has gone', async () => {
    const handed = new HandedAcceptor(acceptor('old'), log);
    let over = (): void => undefined;
    handed.hand(acceptor('new'), () => new Promise<void>((resolve) => (over = resolve)));
    handed.accept(new Client().socket);
    expect(told.splice(0)).toEqual(['new gets null']);
    await handed.dismiss();
    expect(told.splice(0)).toEqual(['new is dismissed', 'old is dismissed']);
    over();
    await turn();
    await handed.stop();
    expect(told).toEqual(['old stops', 'new stops']);
  });

  it('stops the old one, too, when all stop, and it once', async () => {
    const handed = new HandedAcceptor(acceptor('old'), log);
    let over = (): void => undefined;
    handed.hand(acceptor('new'), () => new Promise<void>((resolve) => (over = resolve)));
    await handed.stop();
    over();
    await turn();
    expect(told).toEqual(['new stops', 'old stops']);
  });
});
