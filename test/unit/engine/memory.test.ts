/** The engine in memory keeps the contract of engines, whatever the pace of its links. */
import { MemoryHub } from '../../../src/engine/memory/hub.js';
import type { MemoryEngine } from '../../../src/engine/memory/hub.js';
import type { Engine } from '../../../src/engine/engine.js';
import type { Pace } from '../../../src/engine/memory/links.js';
import { engineContract } from '../../contract/engine.js';

function world(pace?: Pace) {
  const hub = new MemoryHub(pace === undefined ? {} : { pace });
  const engines = new Map<Engine, MemoryEngine>();
  return {
    connect: () => {
      const engine = hub.connect();
      engines.set(engine, engine);
      return Promise.resolve(engine);
    },
    cut: (engine: Engine) => {
      engines.get(engine)?.cut();
      return Promise.resolve(() => engines.get(engine)?.mend());
    },
    lose: () => Promise.resolve(hub.lose()),
    stop: () => Promise.resolve(),
  };
}

engineContract({ name: 'memory', start: () => Promise.resolve(world()) });

/** Each row goes on a step at a time, and some are much slower than others. */
function uneven(): Pace {
  let count = 0;
  return (proceed) => {
    const turns = (count++ * 7) % 5;
    const wait = (left: number): void => {
      if (left > 0) setImmediate(wait, left - 1);
      else proceed(1);
    };
    setImmediate(wait, turns);
  };
}

engineContract({ name: 'memory, with rows of different speed', start: () => Promise.resolve(world(uneven())) });
