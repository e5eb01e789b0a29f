/** The engines in memory that several nodes of one process share, by their names. */
import { MemoryHub } from './hub.js';
import type { EngineType } from '../engine-type.js';

/** What is kept in them lasts as long as the process. */
const hubs = new Map<string, MemoryHub>();

/** The word `memory`: nodes that name the same cluster share one engine. */
export const memoryEngineType: EngineType<{ readonly name: string }> = {
  connect: ({ name }) => {
    const hub = hubs.get(name) ?? new MemoryHub();
    hubs.set(name, hub);
    return Promise.resolve(hub.connect());
  },
};
