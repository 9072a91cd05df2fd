import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { AppError } from '../../shared/core/errors.ts';

export interface CliOptions {
  readonly appDir: string;
  readonly dataDir: string;
  readonly port: number;
  readonly clean: boolean;
  readonly help: boolean;
}

export const usage = `Runs the built app on this machine: no Azure, no Docker, no Core Tools.

  npm start -- [--port 7071] [--data-dir .slipway] [--clean] [--app-dir .]

  --port      where to listen on 127.0.0.1; 0 takes a free port (default 7071)
  --data-dir  what the platform keeps: blobs, metadata, queues, keys (default .slipway)
  --clean     begin with an empty data folder
  --app-dir   the folder of the built app (default: this one)
`;

/** @throws AppError INVALID_ARGUMENT for an unknown flag or a port that is not one */
export function parseCliOptions(args: readonly string[], workingDir: string): CliOptions {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        port: { type: 'string', default: '7071' },
        'data-dir': { type: 'string', default: '.slipway' },
        'app-dir': { type: 'string', default: '.' },
        clean: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (error) {
    throw new AppError(
      'INVALID_ARGUMENT',
      `${(error as Error).message.split('. ')[0]}.\n\n${usage}`,
      {},
      error,
    );
  }
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535)
    throw new AppError(
      'INVALID_ARGUMENT',
      `--port ${values.port}: a port is a number from 0 to 65535.\n\n${usage}`,
    );
  return {
    appDir: resolve(workingDir, values['app-dir']),
    dataDir: resolve(workingDir, values['data-dir']),
    port,
    clean: values.clean,
    help: values.help,
  };
}
