/** Logins that a cookie carries, behind fronts. */
import { putBehindFronts } from '../../support/daemon.js';

putBehindFronts();
await import('../cookie-login.test.js');
