/** Logins by certificates and what is bound to a channel, behind fronts. */
import { putBehindFronts } from '../../support/daemon.js';

putBehindFronts();
await import('../authentication-tls.test.js');
