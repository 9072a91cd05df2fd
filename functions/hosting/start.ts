import { readFileSync } from 'node:fs';
import { app as functionsApp } from '@azure/functions';
import { type App, createApp } from '../../shared/app.ts';
import { type Build, loadConfig } from '../../shared/core/config.ts';
import { connect } from '../../shared/connect.ts';

/**
 * The app, created once when the first function file is loaded. An invalid configuration fails here, with every fault
 * named.
 */
export const app: App = await start();

functionsApp.hook.appStart(() => app.prepare());

async function start(): Promise<App> {
  const config = loadConfig(process.env, readBuild());
  return createApp(config, await connect(config));
}

function readBuild(): Build {
  return JSON.parse(readFileSync(new URL('../../build.json', import.meta.url), 'utf8')) as Build;
}
