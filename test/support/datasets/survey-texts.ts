import type { ColumnSurvey } from '../../../shared/domains/datasets/schema/survey.ts';
import { ColumnCounter } from '../../../shared/domains/datasets/schema/survey-values.ts';

/** The survey of a column with these texts; null for no value. */
export function surveyTexts(texts: readonly (string | null)[], name = 'c', firstRow = 1): ColumnSurvey {
  const counter = new ColumnCounter(name);
  for (const [index, text] of texts.entries())
    if (text === null) counter.addNulls(1);
    else counter.add(text, firstRow + index);
  return counter.finish();
}
