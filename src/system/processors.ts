/** How many processors there are for this process. */
export { availableParallelism as processorCount } from 'node:os';
