/**
 * Random HTTP, and what is none, over every transport that may get it: the node lives, keeps nothing and stalls nobody.
 * `ABUSE_SEED` and `ABUSE_SECONDS` repeat a run or make it longer.
 */
import { describe } from 'vitest';
import { HAS_OPENSSL } from '../support/certificates.js';
import { itNeeds } from '../support/needs.js';
import { abuse, ABUSE_TIMEOUT_MS } from './abuse.js';
import { firstOctets, httpStream, learnCookies } from './http-streams.js';
import { A_WHILE_MS, Wire } from './wire.js';

describe('a node that is sent random octets', () => {
  const withOpenssl = itNeeds('openssl', HAS_OPENSSL);

  withOpenssl(
    'is as it was before: requests, upgrades, bodies and cuts anywhere',
    async () => {
      const known = { cookies: [] as string[] };
      await abuse('http', async (target, random) => {
        const wire = await Wire.open(target, random);
        const isHttp = target.websocket !== undefined && !random.chance(0.1);
        await wire.send(isHttp ? httpStream(random, known) : firstOctets(random), random);
        if (random.chance(0.5)) await wire.until((received) => received.length > 0, A_WHILE_MS);
        learnCookies(known, wire.take().toString('latin1'));
        await wire.end(random);
        return [];
      });
    },
    ABUSE_TIMEOUT_MS,
  );
});
