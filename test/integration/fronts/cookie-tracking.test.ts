/** Browsers that are recognised by a cookie, behind fronts. */
import { putBehindFronts } from '../../support/daemon.js';

putBehindFronts();
await import('../cookie-tracking.test.js');
