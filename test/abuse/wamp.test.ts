/**
 * Random WAMP in every serializer over every transport: the node lives, keeps nothing, stalls nobody, and whatever it sends is
 * well-formed. `ABUSE_SEED` and `ABUSE_SECONDS` repeat a run or make it longer.
 */
import { describe } from 'vitest';
import { HAS_OPENSSL } from '../support/certificates.js';
import { itNeeds } from '../support/needs.js';
import { abuse, ABUSE_TIMEOUT_MS } from './abuse.js';
import { abuseWamp } from './wamp-abuser.js';
import { noIds } from './wamp-messages.js';

describe('a node that is sent random messages', () => {
  const withOpenssl = itNeeds('openssl', HAS_OPENSSL);

  withOpenssl(
    'is as it was before: large and odd values in every field, in every order',
    async () => {
      const known = { ...noIds(), cookies: [] };
      await abuse('wamp', (target, random) => abuseWamp(target, random, known));
    },
    ABUSE_TIMEOUT_MS,
  );
});
