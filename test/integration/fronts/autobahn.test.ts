/** The features of autobahn-js, behind fronts. */
import { putBehindFronts } from '../../support/daemon.js';

putBehindFronts();
await import('../autobahn-advanced.test.js');
