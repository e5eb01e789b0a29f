/** Two hundred clients of a node that stops and starts again, behind fronts. */
import { putBehindFronts } from '../../support/daemon.js';

putBehindFronts();
await import('../comeback.test.js');
