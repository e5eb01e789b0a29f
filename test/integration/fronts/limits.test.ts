/** The limits on connections and strangers, behind fronts. */
import { putBehindFronts } from '../../support/daemon.js';

putBehindFronts();
await import('../limits.test.js');
