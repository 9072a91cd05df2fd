export interface Difference {
  readonly titles: RegExp;
  /** Our answer: the status, and for an error the code. */
  readonly ours: string;
  readonly reason: string;
}

const invalid = '400 INVALID_PARAMETER_VALUE';
const missing = '404 RESOURCE_DOES_NOT_EXIST';

/** Steps whose answers differ from those of mlflow 3.17.2 on purpose. */
export const differences: readonly Difference[] = [
  {
    titles: /: a line break behind/,
    ours: invalid,
    reason: 'a key cannot end with a line break; the end anchor of their expression accepts one',
  },
  {
    titles: /: half an emoji/,
    ours: invalid,
    reason: 'no store can keep invalid Unicode; theirs cuts it, keeps it, or answers 500',
  },
  {
    titles: /^logged-models\/\*\/tags: (nothing|251 long)/,
    ours: invalid,
    reason: 'the keys of logged models are those of runs',
  },
  {
    titles: /^registered-models\/(create|rename|get): (NUL|a line break|50[01] long)$/,
    ours: invalid,
    reason:
      'names with control characters, or of more than 256 characters (their column’s length), are refused',
  },
  {
    titles: /^logged-models: 501 long/,
    ours: invalid,
    reason: 'the length of their column, which SQLite does not enforce',
  },
  {
    titles: /^(experiments\/get|runs\/create): ./,
    ours: missing,
    reason: 'an invalid id is an unknown id: everything missing gets the same answer',
  },
  {
    titles: /: tags is list$/,
    ours: invalid,
    reason: 'ours names the place: a string has no missing key',
  },
  {
    titles: /^runs\/create: (nothing|experiment_id is null)$/,
    ours: invalid,
    reason: 'ours names the missing parameter; theirs reveals a database error',
  },
  {
    titles: /^model-versions\/create: ./,
    ours: missing,
    reason: 'ours looks the model up before it checks the source',
  },
  {
    titles: /: (value|key) of 10 MB$/,
    ours: '413 BAD_REQUEST',
    reason: 'bodies are 8 MB at most: eight times what MLflow documents',
  },
  {
    titles: /^logged-models\/\*\/params: 10[01] params$/,
    ours: '200',
    reason: 'the id is in the path; theirs also requires it in the body, where no client sends it',
  },
  { titles: /: max_results /, ours: invalid, reason: 'an invalid number of rows is refused, not ignored' },
  { titles: /: token /, ours: invalid, reason: 'only issued tokens are accepted' },
  {
    titles: /an unknown view|a view by a number|: status |status is true/,
    ours: invalid,
    reason: 'an unknown word is refused',
  },
  { titles: /^experiments\/search: OR$/, ours: invalid, reason: 'their parser ignores the second AND' },
  {
    titles: /^experiments\/(delete: of a deleted one|restore: one that is there)$/,
    ours: '200',
    reason: 'the request is idempotent, because clients repeat it after a lost answer',
  },
  {
    titles: /^experiments\/update: to a name that is taken$/,
    ours: '400 RESOURCE_ALREADY_EXISTS',
    reason: 'the same answer as for create; theirs reveals a database error',
  },
  { titles: /^runs\/(log-metric|update): .* is true$/, ours: invalid, reason: 'true is not a number' },
  {
    titles: /^runs\/log-batch: \w+ is null$/,
    ours: '200',
    reason: 'null is absent, as in JSON of protobuf; theirs is a 500',
  },
  {
    titles: /^runs\/search: experiment_ids is list$/,
    ours: '200',
    reason: 'a search in a missing experiment finds no runs, whatever its id',
  },
  { titles: /^runs\/search: page_token is /, ours: invalid, reason: 'a token is a string' },
  {
    titles: /^registered-models\/alias: version is number$/,
    ours: missing,
    reason: 'a number is also accepted as a version',
  },
  {
    titles: /^runs\/log-batch: an unknown member 200 deep$/,
    ours: invalid,
    reason: 'protobuf’s depth limit, which also applies inside unknown members',
  },
  {
    titles:
      /: (a brace|a cut text|two objects|a comma too many|NaN|a list 200 deep|an unknown member 200 deep|form data)$/,
    ours: invalid,
    reason: 'ours reports that the body is not JSON; theirs reads it as empty',
  },
];

/** Keys that only one of the two servers refuses, among those read back; see above. */
export const contestedKeys = /^(|a\n|large|beside a line break behind|k{251}|n10[01]-\d+)$/;
