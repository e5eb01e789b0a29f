/**
 * Random MQTT: the node lives, keeps nothing, stalls nobody, and whatever it sends is well-formed. `ABUSE_SEED` and `ABUSE_SECONDS`
 * repeat a run or make it longer.
 */
import { describe } from 'vitest';
import { HAS_OPENSSL } from '../support/certificates.js';
import { itNeeds } from '../support/needs.js';
import { abuse, ABUSE_TIMEOUT_MS } from './abuse.js';
import { abuseMqtt } from './mqtt-abuser.js';

describe('a node that is sent random packets of MQTT', () => {
  const withOpenssl = itNeeds('openssl', HAS_OPENSSL);

  withOpenssl(
    'is as it was before: hostile values in every field, in every order, and clients that come and go under one id',
    async () => {
      await abuse('mqtt', abuseMqtt, 'mqtt');
    },
    ABUSE_TIMEOUT_MS,
  );
});
