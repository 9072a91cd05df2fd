export interface Difference {
  readonly titles: RegExp;
  /** What we answer: the status, and of a refusal the code. */
  readonly ours: string;
  readonly reason: string;
}

const invalid = '400 INVALID_PARAMETER_VALUE';
const missing = '404 RESOURCE_DOES_NOT_EXIST';

/** Steps that we answer otherwise than mlflow 3.17.2. */
export const differences: readonly Difference[] = [
  {
    titles: /: a line break behind/,
    ours: invalid,
    reason: "a key ends where its text ends: their expression's end lets one line break through",
  },
  {
    titles: /: half an emoji/,
    ours: invalid,
    reason: 'a text that is no Unicode can be kept by no store: there it is cut, kept, or a 500',
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
    reason: 'their column’s length, which SQLite does not mind',
  },
  {
    titles: /^(experiments\/get|runs\/create): ./,
    ours: missing,
    reason: 'whatever is no id is the id of nothing: one answer for all that is not there',
  },
  {
    titles: /: tags is list$/,
    ours: invalid,
    reason: 'the place is told: of a text, no key is missing',
  },
  {
    titles: /^runs\/create: (nothing|experiment_id is null)$/,
    ours: invalid,
    reason: 'the parameter that is missing is named; theirs tells of its database',
  },
  {
    titles: /^model-versions\/create: ./,
    ours: missing,
    reason: 'the model is looked for before its source is looked at',
  },
  {
    titles: /: (value|key) of 10 MB$/,
    ours: '413 BAD_REQUEST',
    reason: 'bodies are 8 MB at most: eight times what MLflow documents',
  },
  {
    titles: /^logged-models\/\*\/params: 10[01] params$/,
    ours: '200',
    reason: 'the id is in the path; theirs asks for it in the body as well, which no client sends',
  },
  { titles: /: max_results /, ours: invalid, reason: 'what is no count of rows is refused, not passed over' },
  { titles: /: token /, ours: invalid, reason: 'only tokens that were given out are taken' },
  {
    titles: /an unknown view|a view by a number|: status |status is true/,
    ours: invalid,
    reason: 'a word that is none of the known is refused',
  },
  { titles: /^experiments\/search: OR$/, ours: invalid, reason: 'their parser passes over the second AND' },
  {
    titles: /^experiments\/(delete: of a deleted one|restore: one that is there)$/,
    ours: '200',
    reason: 'clients ask again after a lost answer: it is so already',
  },
  {
    titles: /^experiments\/update: to a name that is taken$/,
    ours: '400 RESOURCE_ALREADY_EXISTS',
    reason: 'as create says it; theirs tells of its database',
  },
  { titles: /^runs\/(log-metric|update): .* is true$/, ours: invalid, reason: 'true is no number' },
  {
    titles: /^runs\/log-batch: \w+ is null$/,
    ours: '200',
    reason: 'null is absent, as in JSON of protobuf; theirs is a 500',
  },
  {
    titles: /^runs\/search: experiment_ids is list$/,
    ours: '200',
    reason: 'in an experiment that is not there no runs are found, whatever its id',
  },
  { titles: /^runs\/search: page_token is /, ours: invalid, reason: 'a token is a text' },
  {
    titles: /^registered-models\/alias: version is number$/,
    ours: missing,
    reason: 'a number is a version’s number as well',
  },
  {
    titles: /^runs\/log-batch: an unknown member 200 deep$/,
    ours: invalid,
    reason: 'protobuf’s own limit of depth, which counts in unknown members as well',
  },
  {
    titles:
      /: (a brace|a cut text|two objects|a comma too many|NaN|a list 200 deep|an unknown member 200 deep|form data)$/,
    ours: invalid,
    reason: 'it is said that the body is no JSON; theirs takes it for an empty one',
  },
];

/** Keys that one of both servers refuses, in what is read back; see above. */
export const contestedKeys = /^(|a\n|large|beside a line break behind|k{251}|n10[01]-\d+)$/;
