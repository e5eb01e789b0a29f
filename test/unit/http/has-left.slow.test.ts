/** Whether an answer has left: what the access log says of one that a reset took away. */
import { describe, expect, it, onTestFinished } from 'vitest';

import type { WebResponse } from '../../../src/http/response.js';
import type { WebService } from '../../../src/http/service.js';
import { createLogger } from '../../../src/log/logger.js';
import { HttpWire, startHttp } from '../../support/http-server.js';

const GET = ['GET / HTTP/1.1', 'Host: 127.0.0.1'];

interface Outcome {
  readonly res: WebResponse;
  readonly record: Readonly<Record<string, unknown>>;
}

/** One request. @param answer with the wire of the client, which is of this thread: what it does is done at once. */
async function outcomeOf(answer: (res: WebResponse, wire: HttpWire) => void, head = GET): Promise<Outcome> {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
  let settle: (res: WebResponse) => void = () => undefined;
  const over = new Promise<WebResponse>((resolve) => (settle = resolve));
  const service: WebService = {
    handle: (_request, res) => {
      res.once('close', () => setImmediate(() => settle(res)));
      answer(res, wire);
    },
  };
  const { port, server } = await startHttp(service, { log: createLogger({ level: 'debug', destination: { write } }) });
  onTestFinished(() => server.stop());
  const wire = await HttpWire.open(port);
  onTestFinished(() => void wire.socket.destroy());
  wire.send(head);
  const res = await over;
  return { res, record: lines.find(({ msg }) => msg === 'request') ?? {} };
}

describe('an answer', () => {
  it.each([
    ['on a connection that goes on', GET],
    ['on one that ends with it', [...GET, 'Connection: close']],
  ])('has left %s', async (_what, head) => {
    const { res, record } = await outcomeOf((answer) => answer.end('here'), head);
    expect([res.hasLeft, record['aborted']]).toEqual([true, undefined]);
  });

  it.each<[string, (res: WebResponse, wire: HttpWire) => void]>([
    [
      'whose client has reset the connection',
      (res, { socket }) => {
        socket.resetAndDestroy();
        res.end('too late');
      },
    ],
    [
      'whose connection we have cut',
      (res) => {
        res.end('x'.repeat(20_000_000));
        res.destroy();
      },
    ],
    [
      'that was reset in the middle',
      (res, { socket }) => {
        socket.pause();
        res.end('x'.repeat(20_000_000));
        setImmediate(() => socket.resetAndDestroy());
      },
    ],
  ])('%s has not left', async (_what, act) => {
    const { res, record } = await outcomeOf(act);
    expect([res.hasLeft, record]).toEqual([false, expect.objectContaining({ aborted: true, path: '/' })]);
  });
});
