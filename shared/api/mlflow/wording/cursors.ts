import type { cursorErrors } from '../../../core/cursor.ts';
import type { ErrorWordings } from '../../../core/error-kinds.ts';

/** MLflow calls a cursor a page token. */
export const cursorWordings: ErrorWordings<typeof cursorErrors> = {
  cursorInvalid: () => 'Invalid page token: pass the next_page_token of the previous page on, unchanged.',
  cursorOfOtherQuery: () =>
    'Invalid page token: it belongs to another request. Keep all parameters but max_results the same from page to page.',
};
