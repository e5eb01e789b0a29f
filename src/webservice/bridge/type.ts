/** The config words `caller`, `publisher` and `webhook`. */
import { onDemand } from '../on-demand.js';
import type { CallerConfig, PublisherConfig, WebhookConfig } from './schema.js';

/** Options: see `schema.ts`. */
export const callerServiceType = onDemand<CallerConfig>({
  ...{ type: 'caller', tracksItself: true },
  load: async () => (await import('./caller.js')).createCaller,
});

/** Options: see `schema.ts`. */
export const publisherServiceType = onDemand<PublisherConfig>({
  ...{ type: 'publisher', tracksItself: true },
  load: async () => (await import('./publisher.js')).createPublisher,
});

/** Options: see `schema.ts`. */
export const webhookServiceType = onDemand<WebhookConfig>({
  ...{ type: 'webhook', tracksItself: true },
  load: async () => (await import('./webhook.js')).createWebhook,
});
