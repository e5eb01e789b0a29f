/** What trusted proxies say of clients, and what strangers say, behind fronts. */
import { putBehindFronts } from '../../support/daemon.js';

putBehindFronts();
await import('../trusted-proxies.test.js');
