/**
 * `publisher`: publishes what programs post: `{"topic": ..., "args": [...], "kwargs": {...}, "options": {...}}`. The router acknowledges
 * it before the program has its answer, `{"id": ...}` of the publication.
 */
import { publishBody } from '../../serializer/json/body.js';
import { PUBLISH } from '../../wamp/message.js';
import type { WebService } from '../../http/service.js';
import type { WebServiceDeps } from '../service.js';
import { jsonAnswer } from './answers.js';
import { BridgeService } from './bridge.js';
import type { BridgeKind } from './bridge.js';
import { decodeBody } from './decode.js';
import type { PublisherConfig } from './schema.js';

function publishing(errorStatus: boolean): BridgeKind {
  return {
    mustBeJson: true,
    errorStatus,
    async requestOf(body) {
      const message = await decodeBody(publishBody, body);
      if (message === undefined) return undefined;
      if (message.type !== PUBLISH) throw new TypeError('a body that is no PUBLISH');
      return message;
    },
    answerTo: (answer) => jsonAnswer(200, JSON.stringify({ id: 'publication' in answer ? answer.publication : null })),
  };
}

/** See the head of the file. */
export function createPublisher(config: PublisherConfig, deps: WebServiceDeps): WebService {
  return new BridgeService(config, publishing(config.options.error_status), deps);
}
