/** The engines we ship: config word -> engine. A new one is a folder of its own, a line here, and a line in `cluster/schema.ts`. */
import { memoryEngineType } from './memory/hubs.js';
import { connectNats } from './nats/connect.js';
import type { Engine } from './engine.js';
import type { EngineConnectDeps, EngineType } from './engine-type.js';
import type { NatsConfig } from './nats/schema.js';

const natsEngineType: EngineType<NatsConfig> = { connect: connectNats };

/** An engine for every word of the config. */
const ENGINES = { nats: natsEngineType, memory: memoryEngineType };

/** A checked section that names an engine. */
export type EngineConfig =
  ({ readonly type: 'nats' } & NatsConfig) | { readonly type: 'memory'; readonly name: string };

/** Connects the engine that a section names. Rejects like {@link EngineType.connect}. */
export function connectEngine(config: EngineConfig, deps: EngineConnectDeps): Promise<Engine> {
  return config.type === 'nats' ? ENGINES.nats.connect(config, deps) : ENGINES.memory.connect(config, deps);
}

/** @returns for how many milliseconds a start waits for an engine that answers, and cannot serve yet. */
export function patienceMsOf(config: EngineConfig): number {
  // JetStream elects its leaders first.
  return config.type === 'nats' ? config.connect_timeout * 1000 : 0;
}
