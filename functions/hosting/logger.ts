import type { InvocationContext } from '@azure/functions';
import { type Logger, toEntry } from '../../shared/core/logger.ts';

/** Logs entries as JSON lines through the host: to Application Insights in Azure, to the terminal locally. */
export function toLogger(context: InvocationContext): Logger {
  return {
    log: (level, message, fields) => {
      context[level](toEntry(message, { function: context.functionName, ...fields }));
    },
  };
}
