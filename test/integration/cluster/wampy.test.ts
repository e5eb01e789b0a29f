/** The features of wampy, with its sessions on three nodes in turn. */
import { hasNats } from '../../support/nats.js';
import { itNeeds } from '../../support/needs.js';
import { spreadOverThreeNodes } from '../../support/place.js';

if (hasNats) {
  spreadOverThreeNodes();
  await import('../wampy.test.js');
} else itNeeds('nats-server', hasNats)('runs over three nodes', () => undefined);
