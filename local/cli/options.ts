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

export const usage = `Runs the built app on this machine, without Azure, Docker or Core Tools.

  npm start -- [--port 7071] [--data-dir .slipway] [--clean] [--app-dir .]

  --port      the port on 127.0.0.1; 0 takes a free one (default 7071)
  --data-dir  the folder for blobs, metadata, queues and keys (default .slipway)
  --clean     delete earlier data first
  --app-dir   the folder of the built app (default .)
`;

/** @throws AppError INVALID_ARGUMENT for an unknown flag or an invalid port */
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
      `--port must be a number from 0 to 65535, not ${values.port}.\n\n${usage}`,
    );
  return {
    appDir: resolve(workingDir, values['app-dir']),
    dataDir: resolve(workingDir, values['data-dir']),
    port,
    clean: values.clean,
    help: values.help,
  };
}
