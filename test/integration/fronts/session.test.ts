/** Sessions in the real daemon, behind fronts. */
import { putBehindFronts } from '../../support/daemon.js';

putBehindFronts();
await import('../session.test.js');
