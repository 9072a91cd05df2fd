import type { Route, RouteGroup } from '../http/route.ts';
import type { WebhookDispatcher } from '../../domains/webhooks/dispatcher.ts';
import type { Webhooks } from '../../domains/webhooks/webhooks.ts';
import type { Registration } from '../../domains/registry/registration.ts';
import type { Registry } from '../../domains/registry/registry.ts';
import type { Tracking } from '../../domains/tracking/tracking.ts';
import { artifactEndpoints } from './artifacts/proxy.ts';
import type { ArtifactServices } from './artifacts/routes.ts';
import { bulkMetricEndpoints } from './endpoints/bulk-metrics.ts';
import { experimentEndpoints } from './endpoints/experiments.ts';
import { loggedModelEndpoints } from './endpoints/logged-models.ts';
import { metricEndpoints } from './endpoints/metrics.ts';
import { mlflowProtocol } from './protocol.ts';
import { modelVersionEndpoints } from './endpoints/model-versions.ts';
import { registeredModelEndpoints } from './endpoints/registered-models.ts';
import { runLinkEndpoints } from './endpoints/run-links.ts';
import { runEndpoints } from './endpoints/runs.ts';
import { serverInfoEndpoints } from './endpoints/server-info.ts';
import { webhookEndpoints } from './endpoints/webhooks.ts';

/** The services that the endpoints call. */
export interface MlflowServices extends ArtifactServices {
  readonly tracking: Tracking;
  readonly registry: Registry;
  readonly registration: Registration;
  readonly webhooks: Webhooks;
  readonly webhookDispatcher: Pick<WebhookDispatcher, 'test'>;
}

/** All endpoints of MLflow's REST API 2.0: add a family as a file and a line here. */
function restEndpoints(services: MlflowServices): readonly Route[] {
  return [
    ...experimentEndpoints(services.tracking),
    ...runEndpoints(services.tracking),
    ...metricEndpoints(services.tracking),
    ...bulkMetricEndpoints(services.tracking.runs),
    ...runLinkEndpoints(services.tracking.links),
    ...loggedModelEndpoints(services.tracking.loggedModels),
    ...registeredModelEndpoints(services.registry),
    ...modelVersionEndpoints(services.registry, services.registration),
    ...artifactEndpoints(services),
    ...webhookEndpoints(services.webhooks, services.webhookDispatcher),
  ];
}

/** Endpoints that MLflow has only under 3.0. */
function newerEndpoints(services: MlflowServices): readonly Route[] {
  return [...serverInfoEndpoints(services)];
}

/** Clients use the prefix `api`, MLflow's pages `ajax-api`, for the same operations. */
export function mlflowRouteGroups(services: MlflowServices): readonly RouteGroup[] {
  const group = (name: string, prefix: string, routes: readonly Route[]): RouteGroup => ({
    name,
    prefix,
    routes,
    authLevel: 'anonymous',
    protocol: mlflowProtocol,
  });
  const rest = restEndpoints(services);
  const newer = newerEndpoints(services);
  return [
    group('mlflow-rest', 'api/2.0', rest),
    group('mlflow-rest-3', 'api/3.0', newer),
    group('mlflow-ajax', 'ajax-api/2.0', rest),
    group('mlflow-ajax-3', 'ajax-api/3.0', newer),
  ];
}
