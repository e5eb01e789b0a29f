/** The transport `flashpolicy`, which listens nowhere. */
import { frontOnly } from '../apart/halves.js';
import type { TransportType } from '../transport-type.js';
import type { FlashPolicyTransportConfig } from './schema.js';

/** The config word `flashpolicy`. */
export const flashPolicyTransportType: TransportType<FlashPolicyTransportConfig> = {
  type: 'flashpolicy',
  create: () => undefined,
  offer: () => ({ url: 'nowhere', paths: [] }),
  cookieSections: () => [],
  halves: frontOnly,
};
