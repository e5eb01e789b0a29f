/** The features of wampy, behind fronts. */
import { putBehindFronts } from '../../support/daemon.js';

putBehindFronts();
await import('../wampy.test.js');
