import { readFileSync } from 'node:fs';
import { app as functionsApp } from '@azure/functions';
import { type App, createApp } from '../../shared/app.ts';
import { type Build, loadConfig } from '../../shared/config.ts';

/**
 * The app, made once when the first function file is loaded: a bad configuration stops the start here, with
 * every fault named.
 */
export const app: App = createApp(loadConfig(process.env, readBuild()));

functionsApp.hook.appStart(() => app.prepare());

function readBuild(): Build {
  return JSON.parse(readFileSync(new URL('../../build.json', import.meta.url), 'utf8')) as Build;
}
