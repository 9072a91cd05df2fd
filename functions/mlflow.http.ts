import { mlflowRouteGroups } from '../shared/api/mlflow/catalog.ts';
import { registerRouteGroup } from './hosting/http.ts';
import { app } from './hosting/start.ts';

for (const group of mlflowRouteGroups(app)) registerRouteGroup(group);
