import type { Ids } from '../../../core/ids.ts';

const adjectives =
  'able agile amber ample arctic bold brave brief bright brisk calm candid clear clever cosmic crisp daring deft eager early fair fleet fond frank gentle glad golden grand hardy hazel honest humble ivory jolly keen kind lively loyal lucid lunar mellow merry mild neat nimble noble patient placid plain polite prime proud quick quiet rapid ready robust rosy sage silent silver sleek smart solar solid spry steady stout sunny swift tidy tranquil true upbeat valiant vivid warm wise witty young zesty'.split(
    ' ',
  );
const nouns =
  'acorn anchor aspen atlas badger bay beacon birch bison brook canyon cedar cliff comet coral crane creek curlew delta dune eagle elm ember falcon fern finch fjord fox garnet glacier grove gull harbor hawk heron hill ibis inlet island juniper kestrel lagoon lake lark ledge lily lynx maple marlin marsh meadow mesa mole moss newt oak onyx orchid osprey otter owl panda pebble pine plover pond quail quartz raven reef ridge river robin salmon seal shore sparrow spruce stone stork stream swan tern tiger trout tulip valley vole walnut whale willow wren yak zebra'.split(
    ' ',
  );

const numbers = 1_000;

/** A name that can be remembered and said: `brisk-otter-417`. */
export function randomRunName({ random }: Pick<Ids, 'random'>): string {
  const choice = Math.floor(random() * adjectives.length * nouns.length * numbers);
  const words = Math.floor(choice / numbers);
  const adjective = adjectives[Math.floor(words / nouns.length)]!;
  return `${adjective}-${nouns[words % nouns.length]!}-${choice % numbers}`;
}
