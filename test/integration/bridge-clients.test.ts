/**
 * What the client libraries of Crossbar.io really send to the HTTP bridge. Each of them was run against a socket that writes down what
 * comes: `publish` and `call` with arguments and without, unsigned, and signed as `foobar` with the secret below. The bytes lie in
 * `fixtures/bridge/`, and are sent here as they are. They are as old as they say, so the services take any time.
 */
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';
import { WampClient } from '../support/wamp-client.js';
import type { JoinedClient } from '../support/wamp-client.js';

const FIXTURES = path.resolve(import.meta.dirname, '../fixtures/bridge');
const SECRET = 'a secret of programs';
const URI = 'com.example.hello';

interface Recorded {
  readonly client: string;
  readonly under: string;
  /** Each character is a byte. */
  readonly requests: readonly { readonly head: readonly string[]; readonly body: string }[];
}

const recorded = readdirSync(FIXTURES).map(
  (name) => JSON.parse(readFileSync(path.join(FIXTURES, name), 'utf8')) as Recorded,
);
const isSigned = (text: string): boolean => /[?&]signature=/.test(text.split('\r\n', 1).join(''));
const textOf = ({ head, body }: Recorded['requests'][number]): string => `${head.join('\r\n')}\r\n\r\n${body}`;

let daemon: Daemon;
let ports: readonly number[];
let somebody: JoinedClient;

beforeAll(async () => {
  const service = { realm: 'realm1', role: 'anonymous' };
  const transport = (options: object): object => ({
    type: 'web',
    endpoint: { type: 'tcp', port: 0, interface: '127.0.0.1' },
    paths: {
      '/': { type: 'json', value: {} },
      ws: { type: 'websocket' },
      publish: { type: 'publisher', ...service, options: { timestamp_delta_limit: 0, ...options } },
      call: { type: 'caller', ...service, options: { timestamp_delta_limit: 0, ...options } },
    },
  });
  const config = nodeConfig() as { workers: { transports: object[] }[] };
  const [worker] = config.workers;
  if (worker === undefined) throw new Error('a node without a worker');
  worker.transports = [transport({}), transport({ key: 'foobar', secret: SECRET })];
  daemon = await startDaemon({ config });
  ports = daemon.listening().map(({ port }) => Number(port));
  somebody = await WampClient.join(daemon.url('/ws', 'ws'));
  expect((await somebody.ask([64, 1, {}, URI]))[0]).toBe(65);
  expect((await somebody.ask([32, 2, {}, URI]))[0]).toBe(33);
});
afterAll(async () => {
  await somebody.close();
  await daemon.dispose();
});

/** Sends bytes as they are. @returns the status and the body of the answer. */
async function send(text: string): Promise<{ readonly status: number; readonly body: unknown }> {
  const socket = connect(ports[isSigned(text) ? 1 : 0] ?? 0, '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    answer += chunk;
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    // Some would keep the connection.
    if (Buffer.byteLength(body) === Number(/^content-length: (\d+)/im.exec(head)?.[1])) socket.destroy();
  });
  socket.write(text, 'latin1');
  await once(socket, 'close');
  return { status: Number(answer.slice(9, 12)), body: JSON.parse(answer.split('\r\n\r\n')[1] ?? '') };
}

it('are those that anybody could find', () => {
  expect(recorded.map(({ client }) => client.split(/[ ,]/, 1).join('')).sort()).toEqual([
    ...['crossbar-http-publisher-bundle', 'crossbarconnect', 'crossbarhttp', 'crossbarhttp3', 'crossbarhttpbridge'],
    ...['crossbarhttprequests', 'ruby-crossbar-http'],
  ]);
  expect(recorded.flatMap(({ requests }) => requests)).toHaveLength(46);
  expect(recorded.filter(({ requests }) => requests.some((request) => isSigned(textOf(request))))).toHaveLength(6);
});

describe.each(recorded)('$client, under $under', ({ requests }) => {
  it.each(requests.map((request) => [request.head[0]?.replace(/(\w+=)[^& ]+/g, '$1'), request.body, textOf(request)]))(
    '%s %s',
    async (_line, body = '', text = '') => {
      const hasArguments = body.includes('llo"') && body.includes('23');
      const values = hasArguments ? [['Héllo', 23], { a: [1, 2] }] : [];
      const answering = send(text);
      const heard = await somebody.next();
      if (body.includes('"procedure"')) {
        expect(heard[0]).toBe(68);
        somebody.send([70, heard[1], {}, [42]]);
        expect(await answering).toEqual({ status: 200, body: { args: [42] } });
      } else {
        expect(heard[0]).toBe(36);
        expect(await answering).toEqual({ status: 200, body: { id: heard[2] } });
      }
      expect(heard.slice(4)).toEqual(values);
      if (!isSigned(text)) return;
      // What somebody has overheard is of no use, neither as it is nor for something else.
      expect((await send(text)).status).toBe(401);
      expect((await send(text.replace('com.example.hello', 'com.example.hellO'))).status).toBe(401);
    },
  );
});
