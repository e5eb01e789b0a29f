/** The engines we ship: config word -> engine. A new one is a folder of its own, a line here, and a line in `cluster/schema.ts`. */
import { memoryEngineType } from './memory/hubs.js';
import { connectNats } from './nats/connect.js';
import type { EngineType } from './engine-type.js';
import type { NatsConfig } from './nats/schema.js';

const natsEngineType: EngineType<NatsConfig> = { connect: connectNats };

/** An engine for every word of the config. */
export const ENGINES = { nats: natsEngineType, memory: memoryEngineType };
