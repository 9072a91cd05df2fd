import type { InvocationContext } from '@azure/functions';
import { type Logger, toEntry } from '../../shared/core/logger.ts';

/** Structured entries through the host's log, one JSON line each: Application Insights in Azure, the terminal here. */
export function toLogger(context: InvocationContext): Logger {
  return {
    log: (level, message, fields) => {
      context[level](toEntry(message, { function: context.functionName, ...fields }));
    },
  };
}
