import { describe, expect, it } from 'vitest';
import { sendStatus } from '../../../src/http/answer.js';
import { onDemand } from '../../../src/webservice/on-demand.js';
import { CatchingSocket, exchange, openExchange } from '../../support/exchange.js';
import { serviceDeps } from '../../support/web.js';
import type { WebService } from '../../../src/http/service.js';
import type { NoneConfig } from '../../../src/webservice/none-schema.js';

/** A service behind `load`, and what happened to it. */
function subject({ upgrades }: { upgrades?: true } = {}) {
  const events: string[] = [];
  const successors: (WebService | undefined)[] = [];
  const inner: WebService[] = [];
  const type = onDemand<NoneConfig>({
    ...{ type: 'none', ...(upgrades && { upgrades }) },
    load: () => {
      events.push('load');
      return Promise.resolve(() => {
        const service: WebService = {
          methods: ['PUT'],
          start: () => Promise.resolve(void events.push('start')),
          stop: () => Promise.resolve(void events.push('stop')),
          handle: (_request, res) => sendStatus(res, 201),
          upgrade: () => void events.push('upgrade'),
          knows: (rest) => rest === '/mine',
          dismiss: () => Promise.resolve(void events.push('dismiss')),
          retire: (successor) => Promise.resolve(void successors.push(successor)),
        };
        inner.push(service);
        return service;
      });
    },
  });
  return { events, successors, inner, create: () => type.create({ type: 'none' }, serviceDeps()) };
}

describe('a service on demand', () => {
  it('is loaded when it starts, once, and is the service from then on', async () => {
    const { events, create } = subject();
    const service = create();
    expect(events).toEqual([]);
    expect(service.methods).toBeUndefined();
    await service.start?.();
    expect(service.methods).toEqual(['PUT']);
    expect((await exchange(service, { method: 'PUT' })).status).toBe(201);
    await service.stop?.();
    expect(events).toEqual(['load', 'start', 'stop']);
  });

  it('has nothing to stop when it never started', async () => {
    const { events, create } = subject();
    await create().stop?.();
    expect(events).toEqual([]);
  });

  it('takes upgrades where its type says so, and throws at none', async () => {
    expect(typeof subject().create().upgrade).toBe('undefined');
    const { events, create } = subject({ upgrades: true });
    const service = create();
    const { request } = openExchange({ headers: { upgrade: 'websocket' } });
    const early = new CatchingSocket();
    service.upgrade?.(request, early, Buffer.alloc(0));
    expect(early.destroyed).toBe(true);
    await service.start?.();
    service.upgrade?.(request, new CatchingSocket(), Buffer.alloc(0));
    expect(events).toEqual(['load', 'start', 'upgrade']);
  });

  it('is told of the service that comes after it, as that service knows itself', async () => {
    const { successors, inner, create } = subject();
    const [old, next] = [create(), create()];
    expect(typeof old.retire).toBe('undefined');
    await old.start?.();
    await next.start?.();
    await old.retire?.(next, Promise.resolve());
    await old.retire?.(undefined, Promise.resolve());
    expect(successors).toEqual([inner[1], undefined]);
  });

  it('has its own clients, and is told to let them go', async () => {
    const { events, create } = subject();
    const service = create();
    expect([typeof service.knows, typeof service.dismiss]).toEqual(['undefined', 'undefined']);
    await service.start?.();
    expect(['/mine', '/other'].map((rest) => service.knows?.(rest))).toEqual([true, false]);
    await service.dismiss?.();
    expect(events).toEqual(['load', 'start', 'dismiss']);
  });
});
