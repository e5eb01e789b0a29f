/** The features of autobahn-python, behind fronts. */
import { putBehindFronts } from '../../support/daemon.js';

putBehindFronts();
await import('../autobahn-python.test.js');
