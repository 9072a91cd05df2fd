import { downloadRoutes } from '../shared/api/mlflow/artifacts/downloads.ts';
import { registerRoutes } from './hosting/http.ts';
import { app } from './hosting/start.ts';

registerRoutes(downloadRoutes(app));
