/** The transports of `transport-world.ts` behind a front: their acceptors are at one end of a link, and the router at the other. Both ends are in this process. */
import { createServer, connect } from 'node:net';
import type { Socket } from 'node:net';
import path from 'node:path';
import { Congestion } from '../../src/front/congestion.js';
import { FrontHost } from '../../src/front/front-host.js';
import { FrontLink } from '../../src/front/front-link.js';
import { passedOn } from '../../src/front/passed-on.js';
import { RouterLink } from '../../src/front/router-link.js';
import { SERIALIZERS } from '../../src/serializer/registry.js';
import { Drain } from '../../src/transport/drain.js';
import type { PlaceOptions } from '../../src/front/front-host.js';
import type { Logger } from '../../src/log/logger.js';
import type { Protocol } from '../../src/metrics/transport-counts.js';
import type { SessionDeps } from '../../src/session/deps.js';
import type { Entrance } from '../../src/transport/apart/entrance.js';
import { temporaryDirectory } from './daemon.js';

const MAX_UNSENT_BYTES = 256 * 1024 * 1024;

/** What the acceptor of a front is made with. */
export interface FrontParts {
  readonly sessions: SessionDeps;
  readonly entrance: Entrance;
  readonly serializers: typeof SERIALIZERS;
  readonly drain: Drain;
}

/** Joins a front and a router. @param parts of the router. @returns what the front has */
export async function frontOf(
  parts: { readonly sessions: SessionDeps; readonly drain: Drain; readonly log: Logger },
  protocol: Protocol,
  options: PlaceOptions,
): Promise<FrontParts & { readonly stop: () => Promise<void> }> {
  const { sessions, drain, log } = parts;
  const host = new FrontHost(protocol, options, { sessions, log, drain });
  const place = { host, sessions, tracker: undefined, serializers: SERIALIZERS };
  const file = path.join(temporaryDirectory(), 'link.sock');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(file, resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const socket = connect(file);
  const limits = { log, maxUnsentBytes: MAX_UNSENT_BYTES, gone: () => undefined };
  const front = new FrontLink(await accepted, {
    ...limits,
    places: new Map([['place', place]]),
    congestion: new Congestion(),
  });
  const link = new RouterLink(socket, limits);
  server.close();
  return {
    sessions: { ...sessions, open: (transport) => link.open(transport) },
    entrance: link.entranceOf('place'),
    serializers: passedOn(SERIALIZERS),
    drain: new Drain({
      ...{ log, saysGoodbye: false, elapsed: () => performance.now(), random: () => 0.5 },
      wait: () => Promise.resolve(),
    }),
    stop: async () => {
      await host.stop();
      link.end();
      front.end();
    },
  };
}
