/** The scenarios of the vectors, behind fronts. */
import { putBehindFronts } from '../../support/daemon.js';

putBehindFronts();
await import('../vectors/scenarios.test.js');
