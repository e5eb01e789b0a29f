/** Where the built page of the monitor is: `scripts/build.js` makes it of `pages/monitor/`. */
import { fileURLToPath } from 'node:url';

/** Absolute. The same from `src/` and from a chunk in `dist/`, which are equally deep. */
export const MONITOR_PAGE = fileURLToPath(new URL('../../dist/monitor/', import.meta.url));
